// The ticked deliveries, also of other pages of the list. They are kept for as long as the tab.

const KEPT = "log-ticked";

const boxesIn = (element) => element.querySelectorAll("input[name=delivery][type=checkbox]");

export class Ticks {
  #ids = new Set(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));

  constructor(section) {
    this.section = section;
    section.addEventListener("change", (event) => {
      if (!event.target.matches("input[name=delivery]")) return;
      if (event.target.checked) this.#ids.add(event.target.value);
      else this.#ids.delete(event.target.value);
      this.#changed();
    });
    section.addEventListener("click", (event) => {
      if (!event.target.closest("#untick")) return;
      this.#ids.clear();
      for (const box of boxesIn(section)) box.checked = false;
      this.#changed();
      // The list goes on when nothing in it is used any more.
      section.dispatchEvent(new Event("change", { bubbles: true }));
    });
    section.addEventListener("submit", (event) => {
      if (event.target.matches(".of-log")) this.#hold(event.target);
    });
    this.show();
  }

  // Ticks the boxes of a list that was made anew.
  show() {
    for (const box of boxesIn(this.section)) box.checked = this.#ids.has(box.value);
    this.#showBar();
  }

  #changed() {
    sessionStorage.setItem(KEPT, JSON.stringify([...this.#ids]));
    this.#showBar();
  }

  #showBar() {
    const bar = this.section.querySelector(".of-selected");
    if (!bar) return;
    bar.hidden = this.#ids.size === 0;
    bar.querySelector("#ticked-count").textContent = this.#ids.size.toLocaleString();
    for (const button of bar.querySelectorAll("[data-count]")) {
      button.disabled = this.#ids.size !== Number(button.dataset.count);
    }
  }

  // Puts the ticked deliveries into the form that have no box in it.
  #hold(form) {
    const here = new Set([...boxesIn(form)].map((box) => box.value));
    const fields = [...this.#ids]
      .filter((id) => !here.has(id))
      .map((id) =>
        Object.assign(document.createElement("input"), { type: "hidden", name: "delivery", value: id }),
      );
    form.querySelector("#ticked-elsewhere").replaceChildren(...fields);
  }
}
