// What is typed is kept by the server, which gets it a moment after a keystroke with the question for findings.

import { morph } from "../shell/morph.js";

const PAUSE_MS = 250;

export class UnsavedEdits {
  #pause = null;
  #asked = null;

  constructor(form) {
    this.form = form;
    form.addEventListener("input", () => this.#typed());
    // An answer about an older text shows nothing: the next one is under way.
    document.addEventListener("htmx:beforeRequest", (event) => {
      if (event.detail.target.id === "findings") this.#asked = this.#sequence.value;
    });
    document.addEventListener("htmx:beforeSwap", (event) => {
      if (event.detail.target.id === "findings" && this.#asked !== this.#sequence.value)
        event.detail.shouldSwap = false;
    });
    document.addEventListener("htmx:oobBeforeSwap", (event) => {
      if (event.detail.target.id !== "unsaved") return;
      event.detail.shouldSwap = false;
      this.take(event.detail.fragment.querySelector("#unsaved"));
    });
    this.#beginAnew();
    addEventListener("pagehide", () => this.#leave());
    // A page that the browser had kept whole may be older than what was typed since.
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.#ask();
    });
  }

  get #sequence() {
    return this.form.elements.sequence;
  }

  // After Back the page may be an old answer, with the id of the page in which more was typed since.
  #beginAnew() {
    const [{ type } = {}] = performance.getEntriesByType("navigation");
    if (type !== "back_forward") return;
    this.form.elements.tab.value = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.#sequence.value = "0";
  }

  // Says what is unsaved as the server told it.
  take(told) {
    const shown = document.getElementById("unsaved");
    if (!told || !shown) return;
    told.removeAttribute("hx-swap-oob");
    morph(shown, told, () => false);
    const dot = document.querySelector("#fixture-list [aria-current] .edit-dot");
    if (dot) dot.hidden = !("edited" in shown.dataset);
  }

  #typed() {
    this.#sequence.value = String(Number(this.#sequence.value) + 1);
    this.#pause ??= setTimeout(() => this.#ask(), PAUSE_MS);
  }

  #ask() {
    this.#forgetPause();
    this.form.elements.payload.dispatchEvent(new CustomEvent("typed"));
  }

  #forgetPause() {
    clearTimeout(this.#pause);
    this.#pause = null;
  }

  // Sends what was typed last before the page goes. A browser lets only small requests outlive their page.
  #leave() {
    if (this.#pause === null) return;
    this.#forgetPause();
    const body = new URLSearchParams(new FormData(this.form));
    const headers = { "HX-Request": "true", "HX-Target": "findings" };
    fetch("/compose", { method: "POST", body, headers, keepalive: body.toString().length < 60_000 });
  }
}
