// A part of the compose page that the server renders: the form is posted, and the part becomes like the answer.
// Text that is typed meanwhile stays.

import { morph } from "../shell/morph.js";

const PAUSE_MS = 250;

// Focuses a control, and unfolds what it is in.
export function focusInside(control) {
  for (let group = control.closest("details"); group; group = group.parentElement.closest("details"))
    group.open = true;
  control.focus();
}

export class Exchange {
  #queue = Promise.resolve();
  #pause = null;

  // `target` is the name by which the server knows the part, `id` that of the element that becomes like the answer's.
  // What the answer says to be unsaved goes to `unsaved`.
  constructor(form, target, id, unsaved) {
    this.form = form;
    this.unsaved = unsaved;
    this.target = target;
    this.id = id;
  }

  get part() {
    return document.getElementById(this.id);
  }

  get controls() {
    return [...this.part.querySelectorAll("input, textarea, select")];
  }

  // What keeps the part from being sent.
  get problem() {
    return this.part.querySelector("[id$='-problem']");
  }

  // The text that the part is about, which is outside of it. An answer about an older text is dropped.
  get text() {
    return null;
  }

  // Called when the part is like the answer; `isSettled` says of a control whether nothing was typed in it meanwhile.
  taken(_page, _action, _isSettled) {}

  // Called where no answer came.
  unreachable() {}

  // Posts the form after a pause in typing.
  askLater(action) {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.ask(action), PAUSE_MS);
  }

  // One after the other: each request has all that was typed until it goes out. Names that match `without` are not
  // posted, and what is typed in the part gives way to the answer.
  ask(action, { without = null } = {}) {
    clearTimeout(this.#pause);
    this.#queue = this.#queue.then(() => this.#exchange(action, without));
  }

  async #exchange(action, without) {
    const { text } = this;
    const posted = new Map(this.controls.map((control) => [control, control.value]));
    const before = this.problem?.textContent;
    const page = await this.#post(this.#body(action, without));
    if (!page) return;
    this.unsaved.take(page.getElementById("unsaved"));
    if (this.text !== text) return;
    const isEdit = !/^(view:|show$)/.test(action);
    const keep = (control) => {
      if (without) return false;
      const isTyped = posted.has(control) && posted.get(control) !== control.value;
      return isTyped || (!isEdit && control === document.activeElement);
    };
    // A Send that was refused meanwhile has put its reason here, which this answer does not know.
    const problem = this.problem?.cloneNode(true);
    morph(this.part, page.getElementById(this.id), keep);
    if (problem && problem.textContent !== before) this.problem?.replaceWith(problem);
    this.taken(page, action, (control) => posted.has(control) && !keep(control));
  }

  #body(action, without) {
    const body = new URLSearchParams(new FormData(this.form));
    body.set("do", action);
    if (without) for (const name of [...body.keys()]) if (without.test(name)) body.delete(name);
    return body;
  }

  // The answer as a page, or null where none came.
  async #post(body) {
    const headers = { "HX-Request": "true", "HX-Target": this.target };
    try {
      const response = await fetch("/compose", { method: "POST", body, headers });
      if (response.ok) return new DOMParser().parseFromString(await response.text(), "text/html");
    } catch (error) {
      // fetch throws this where no answer comes.
      if (!(error instanceof TypeError)) throw error;
    }
    this.unreachable();
    return null;
  }

  // Focuses the first control of the last of what is at a pointer, or below it.
  focusLast(pointer) {
    const memberOf = (control) => control.dataset.pointer.slice(pointer.length + 1).split("/")[0];
    const added = this.controls.filter((control) => `${control.dataset.pointer}/`.startsWith(`${pointer}/`));
    const last = added.at(-1);
    const first = added.find((control) => memberOf(control) === memberOf(last));
    if (first) focusInside(first);
  }
}
