// Arrows go through a list: an element with data-arrows, whose value selects what they stop at.

const BY = { ArrowDown: 1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  const by = BY[event.key];
  if (!by || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.isComposing || event.defaultPrevented || event.target.closest("textarea, select")) return;
  const list = event.target.closest("[data-arrows]");
  if (!list) return;
  const stops = [...list.querySelectorAll(list.dataset.arrows)].filter((each) => each.checkVisibility());
  const at = stops.findIndex((each) => each.contains(event.target));
  const next = at < 0 ? null : stops[at + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
});
