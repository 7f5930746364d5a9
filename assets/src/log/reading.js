// Whether the reader is using the log's list by pointer, focus or selection: its rows must not move meanwhile.

const SETTLED_MS = 250; // until reading counts as over: a click first ends a selection, then may begin another
const MOMENTS = ["scroll", "selectionchange", "change", "focusout", "pointerup", "pointercancel"];

export class Reading {
  #isPressed = false;
  #settling = null;

  // `list` returns the table's body; `onEnd` is called when reading may have ended.
  constructor(list, onEnd) {
    this.list = list;
    for (const moment of MOMENTS) {
      const settle = (event) => {
        if (event.type.startsWith("pointer")) this.#isPressed = false;
        clearTimeout(this.#settling);
        this.#settling = setTimeout(onEnd, SETTLED_MS);
      };
      // A scroll of a box does not bubble.
      document.addEventListener(moment, settle, { passive: true, capture: true });
    }
    document.addEventListener("pointerdown", (event) => {
      this.#isPressed = Boolean(list()?.contains(event.target));
    });
  }

  get isGoingOn() {
    return this.#isPressed || this.isScrolled || this.uses(this.list()) || this.isSelecting;
  }

  // Whether the beginning of the list is out of sight: on wide pages it scrolls in its own box.
  get isScrolled() {
    const table = this.list().closest("table");
    const top = Math.max(0, Math.floor(table.parentElement.getBoundingClientRect().top));
    return table.getBoundingClientRect().top < top;
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
