// Whether the reader is in the middle of something in the log's list, which must not move under the pointer then.

const SETTLED_MS = 250; // until reading is over: who clicks somewhere ends a selection first
const MOMENTS = ["scroll", "selectionchange", "change", "focusout", "pointerup", "pointercancel"];

export class Reading {
  #isPressed = false;
  #settling = null;

  // `list` returns the table's body; `onEnd` is called when the reader may have come to an end.
  constructor(list, onEnd) {
    this.list = list;
    for (const moment of MOMENTS) {
      const settle = (event) => {
        if (event.type.startsWith("pointer")) this.#isPressed = false;
        clearTimeout(this.#settling);
        this.#settling = setTimeout(onEnd, SETTLED_MS);
      };
      document.addEventListener(moment, settle, { passive: true });
    }
    document.addEventListener("pointerdown", (event) => {
      this.#isPressed = Boolean(list()?.contains(event.target));
    });
  }

  get isGoingOn() {
    const body = this.list();
    return (
      this.#isPressed ||
      body.closest("table").getBoundingClientRect().top < 0 ||
      this.uses(body) ||
      this.isSelecting
    );
  }

  get isSelecting() {
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(this.list(), true);
  }

  // Whether this row or body has the focus or a selected delivery.
  uses(element) {
    return (
      element.contains(document.activeElement) ||
      element.querySelector("input[name=delivery]:checked") !== null
    );
  }
}
