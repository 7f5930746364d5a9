// Raw, form, as sent: three views of one payload. The raw text is the truth; the server makes the others from it,
// and makes the raw text from what is typed into the form.

import { morph } from "./morph.js";

const PAUSE_MS = 250;
const UNREACHABLE = "The sandbox does not answer: what is typed here stays, and is not taken over yet.";

const shown = () => document.getElementById("payload-shown");

class Views {
  #queue = Promise.resolve();
  #pause = 0;

  constructor(form, editor, findings) {
    this.form = form;
    this.editor = editor;
    this.findings = findings;
    this.#show(this.current);
    for (const moment of ["input", "change"]) form.addEventListener(moment, (event) => this.#typed(event));
    form.addEventListener("submit", (event) => this.#pressed(event));
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target.id === "target") this.#refresh();
    });
  }

  get current() {
    return this.form.elements.view.value;
  }

  #typed(event) {
    const inForm = shown().contains(event.target);
    if (!inForm && !["variables", "off_contract"].includes(event.target.name)) return;
    clearTimeout(this.#pause);
    if (event.type === "change") this.#refresh();
    else this.#pause = setTimeout(() => this.#refresh(), PAUSE_MS);
  }

  #refresh() {
    if (this.current !== "raw") this.ask("show");
  }

  // Buttons of the views do their work without leaving the page; all others send the form as ever.
  #pressed(event) {
    const doing = event.submitter?.value ?? "";
    if (!/^(view|add|remove|reset):/.test(doing)) return;
    event.preventDefault();
    this.ask(doing);
  }

  // One after the other: each has all that was typed until it goes out.
  ask(doing) {
    clearTimeout(this.#pause);
    this.#queue = this.#queue.then(() => this.#exchange(doing));
    return this.#queue;
  }

  async #exchange(doing) {
    const text = this.editor.text;
    const posted = new Map([...shown().querySelectorAll("input, textarea")].map((control) => [control, control.value]));
    const body = new URLSearchParams(new FormData(this.form));
    body.set("do", doing);
    const page = await this.#post(body);
    if (!page) return;
    // What was typed into the raw text meanwhile is newer than this answer.
    if (this.editor.text !== text) return;
    this.editor.set(page.getElementById("payload").value);
    this.form.elements.view.value = page.querySelector("input[name=view]").value;
    const edits = !/^(view:|show)/.test(doing);
    const keep = (control) => {
      const isTyped = posted.has(control) && posted.get(control) !== control.value;
      return isTyped || (!edits && control === document.activeElement);
    };
    morph(shown(), page.getElementById("payload-shown"), keep);
    for (const control of posted.keys()) {
      if (control.isConnected && !keep(control) && control.value !== control.defaultValue) control.value = control.defaultValue;
    }
    document.getElementById("payload-problem").replaceWith(page.getElementById("payload-problem"));
    document.getElementById("findings").replaceWith(page.getElementById("findings"));
    this.findings.take(this.editor.text);
    this.#show(this.current);
    if (doing.startsWith("add:")) this.#focusLast(doing.slice(4));
  }

  async #post(body) {
    try {
      const response = await fetch("/compose", { method: "POST", body, headers: { "HX-Request": "true", "HX-Target": "payload-view" } });
      if (response.ok) return new DOMParser().parseFromString(await response.text(), "text/html");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    const line = document.createElement("p");
    line.className = "field-error";
    line.textContent = `! ${UNREACHABLE}`;
    document.getElementById("payload-problem").replaceChildren(line);
    return null;
  }

  #show(view) {
    this.editor.show(view === "raw");
    document.getElementById("payload-keys").hidden = view !== "raw";
    for (const button of document.querySelectorAll("#payload-views button")) {
      button.setAttribute("aria-pressed", String(button.value === `view:${view}`));
    }
  }

  #focusLast(pointer) {
    const added = [...shown().querySelectorAll("[data-pointer]")].filter((each) => each.dataset.pointer === pointer || each.dataset.pointer.startsWith(`${pointer}/`));
    added.at(-1)?.focus();
  }

  focusNextProblem() {
    const wrong = [...shown().querySelectorAll("[aria-invalid]")];
    const at = wrong.findIndex((each) => document.activeElement.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
    (wrong[at] ?? wrong[0])?.focus();
  }
}

export const viewsOf = (form, editor, findings) => new Views(form, editor, findings);
