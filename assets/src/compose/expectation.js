// The expected response: its buttons do their work without leaving the page, and its cards follow what is typed.
// The server makes the cards from the JSON text and the text from the cards; nothing here reads either.

import { Exchange } from "./exchange.js";
import { reopen } from "./pane.js";

const CARDS = /^expect-(text|json):/; // the names of the cards' controls
const UNREACHABLE = "! The sandbox does not answer: what is typed here stays.";

// A name that is being typed for a new member or header is not sent yet.
const isInCards = (control) =>
  control.closest("#expected-cards") !== null && !control.name.startsWith("expect-new:");

export class Expectation extends Exchange {
  constructor(form, editor, findings, unsaved) {
    super(form, "expectation-field", "expectation-field", unsaved);
    this.editor = editor;
    this.findings = findings;
    form.addEventListener("submit", (event) => this.#pressed(event));
    form.addEventListener("change", (event) => this.#changed(event));
    form.addEventListener("input", (event) => this.#typed(event));
    // After Back the browser may have restored the text, while the cards are those that the server sent.
    addEventListener("load", () => {
      const text = document.getElementById("expectation");
      if (this.#isInCards && text.value !== text.defaultValue) this.#readText();
    });
  }

  get #isInCards() {
    return this.form.elements.expectation_view.value === "cards";
  }

  // The text is newer than the cards.
  #readText() {
    this.ask("show", { without: CARDS });
  }

  #pressed(event) {
    const action = event.submitter?.value ?? "";
    if (!action.startsWith("expect-")) return;
    event.preventDefault();
    this.ask(action);
  }

  #changed(event) {
    if (event.target.id === "pick") this.ask("pick");
    else if (isInCards(event.target)) this.ask("show");
  }

  #typed(event) {
    if (event.target.id === "expectation" && this.#isInCards) this.#readText();
    else if (isInCards(event.target)) this.askLater("show");
  }

  taken(page, action) {
    // A rule made of a value in the comparison: the answer was judged by it.
    const isRefused = page.querySelector("#expectation-field [aria-invalid=true]") !== null;
    if (action.startsWith("expect-value:") && !isRefused)
      reopen(document.getElementById("answer").dataset.delivery);
    this.editor.set(this.editor.textarea.value);
    this.editor.show(!this.#isInCards);
    this.findings.take(this.editor.text);
    if (action.startsWith("expect-open:")) document.getElementById("rule_word")?.focus();
    const [, pointer] = /^expect-(?:member|add):(.*)$/s.exec(action) ?? [];
    if (pointer !== undefined) this.focusLast(pointer);
  }

  unreachable() {
    document.getElementById("expectation-notice").textContent = UNREACHABLE;
  }
}
