// Raw, form, as sent: three views of one payload. The raw text decides; the server makes the others from it,
// and makes the raw text from what is typed into the form.

import { Exchange, focusInside } from "./exchange.js";

const UNREACHABLE = "The sandbox does not answer: what is typed here stays, and is not taken over yet.";

export class Views extends Exchange {
  constructor(form, editor, findings, unsaved) {
    super(form, "payload-view", "payload-shown", unsaved);
    this.editor = editor;
    this.findings = findings;
    this.filter = this.#filter;
    this.#show(this.current);
    for (const moment of ["input", "change"]) form.addEventListener(moment, (event) => this.#typed(event));
    form.addEventListener("submit", (event) => this.#pressed(event));
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target.id === "target" && this.current !== "raw") this.ask("show");
    });
  }

  get current() {
    return this.form.elements.view.value;
  }

  get text() {
    return this.editor.text;
  }

  #typed(event) {
    const isInForm = this.part.contains(event.target);
    if (!isInForm && !["variables", "off_contract"].includes(event.target.name)) return;
    if (this.current === "raw") return;
    if (event.type === "change") this.ask("show");
    else this.askLater("show");
  }

  // Buttons of the views work without leaving the page; all others submit the form.
  #pressed(event) {
    const action = event.submitter?.value ?? "";
    if (!/^(view|add|remove|reset):/.test(action)) return;
    event.preventDefault();
    this.ask(action);
  }

  taken(page, action, isSettled) {
    this.editor.set(page.getElementById("payload").value);
    this.form.elements.view.value = page.querySelector("input[name=view]").value;
    for (const control of this.controls) {
      if (isSettled(control) && control.value !== control.defaultValue) control.value = control.defaultValue;
    }
    for (const id of ["payload-problem", "findings"])
      document.getElementById(id).replaceWith(page.getElementById(id));
    this.findings.take(this.editor.text);
    this.#show(this.current);
    this.#unfold();
    if (action.startsWith("add:")) this.focusLast(action.slice("add:".length));
  }

  get #filter() {
    const { form_filter: words, changed_only: changed } = this.form.elements;
    return `${words?.value ?? ""} ${changed?.checked ?? false}`;
  }

  // What is folded stays folded, but where another filter shows other parts.
  #unfold() {
    if (this.filter === this.#filter) return;
    this.filter = this.#filter;
    for (const group of this.part.querySelectorAll("details")) group.open = "open" in group.dataset;
  }

  unreachable() {
    const line = document.createElement("p");
    line.className = "field-error";
    line.textContent = `! ${UNREACHABLE}`;
    document.getElementById("payload-problem").replaceChildren(line);
  }

  #show(view) {
    this.editor.show(view === "raw");
    for (const button of document.querySelectorAll("#payload-views button")) {
      button.setAttribute("aria-pressed", String(button.value === `view:${view}`));
    }
  }

  focusNextProblem() {
    const wrong = [...this.part.querySelectorAll("[aria-invalid]")];
    const isAfterFocus = (each) =>
      document.activeElement.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
    const next = wrong.find(isAfterFocus) ?? wrong[0];
    if (next) focusInside(next);
  }
}
