// n and p lead to the next and the previous difference of the comparisons on a page, whenever they came.
// A button with data-difference-step, 1 or -1, does the same.

let last = null; // the difference that was last led to

// An event that differs in several members is one step.
function differences() {
  return [...document.querySelectorAll(".sides [data-difference]")].filter(
    (each) => !each.parentElement.closest("[data-difference]") && each.checkVisibility(),
  );
}

export function step(by) {
  const all = differences();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement.closest?.("[data-difference]") ?? last);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length];
  const place = next.querySelector(":scope > summary") ?? next;
  if (place === next) next.tabIndex = -1;
  place.focus({ preventScroll: true });
  next.scrollIntoView({ block: "center" });
  last = next;
}

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable], dialog") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target))
    return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "n") step(1);
  else if (event.key === "p") step(-1);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-difference-step]");
  if (button) step(Number(button.dataset.differenceStep));
});
