// The server's findings: marked at their lines in an editor, and linked from the list below it.

import { setDiagnostics } from "@codemirror/lint";
import { focusInside } from "./exchange.js";
import { endOfValue } from "./place.js";

class Findings {
  // `id` is that of their list.
  constructor(editor, id) {
    this.editor = editor;
    this.id = id;
    this.checked = editor.text;
    // Whether to send although the contract is broken: an answer to an older question does not change that.
    this.offContract = null;
    document.addEventListener("change", (event) => {
      if (event.target.name === "off_contract") this.offContract = event.target.checked;
    });
    document.addEventListener("htmx:beforeRequest", (event) => {
      if (event.detail.target.id === "findings") this.checked = editor.text;
    });
    document.addEventListener("htmx:afterSwap", () => this.take(this.checked));
    this.take(this.checked);
  }

  // The findings on the page; none where they are about another text.
  take(text) {
    const list = document.getElementById(this.id);
    if (list.dataset.taken) return;
    list.dataset.taken = "yes";
    const box = list.querySelector("[name=off_contract]");
    if (box && this.offContract !== null) box.checked = this.offContract;
    const rows = [...list.querySelectorAll("li")];
    for (const row of rows) this.#lead(row);
    if (text !== this.editor.text) return;
    const { view } = this.editor;
    const diagnostics = rows
      .filter((row) => row.querySelector(".place").dataset.line)
      .map((row) => this.#diagnostic(row));
    view.dispatch(setDiagnostics(view.state, diagnostics));
  }

  #diagnostic(row) {
    const { line, column, pointer } = row.querySelector(".place").dataset;
    const from = this.editor.position(Number(line), Number(column || 1));
    const to = endOfValue(this.editor.view.state, from);
    const message = row.querySelector(".message").textContent;
    return {
      from,
      to,
      severity: row.closest(".advice") ? "info" : "error",
      message: pointer ? `${pointer} ${message}` : message,
      renderMessage: () => {
        const box = document.createElement("div");
        box.append(message);
        if (pointer) box.append(Object.assign(document.createElement("code"), { textContent: pointer }));
        return box;
      },
    };
  }

  // Makes the place a button that moves the focus there, in the view that is shown.
  #lead(row) {
    const place = row.querySelector("span.place");
    if (!place?.dataset.line) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "place";
    Object.assign(button.dataset, place.dataset);
    button.append(...place.childNodes);
    button.addEventListener("click", () => {
      const { line, column, pointer } = button.dataset;
      const form = this.id === "findings" ? "#form-view" : "#expected-cards";
      const input = document.querySelector(`${form} [data-pointer="${CSS.escape(pointer ?? "")}"]`);
      if (input) focusInside(input);
      else if (!this.editor.view.dom.hidden)
        this.editor.goTo(this.editor.position(Number(line), Number(column || 1)));
    });
    place.replaceWith(button);
  }
}

export const watchFindings = (editor, id) => new Findings(editor, id);
