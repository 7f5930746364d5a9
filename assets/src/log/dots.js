// The dots of the chart of latency by keyboard: arrow keys lead from one to the next, Enter opens its delivery.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

document.addEventListener("keydown", (event) => {
  const dot = event.target.closest?.(".over-time > a");
  const by = STEPS[event.key];
  if (!dot || by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const dots = [...dot.parentElement.querySelectorAll("a")];
  const next = dots[Math.min(Math.max(dots.indexOf(dot) + by, 0), dots.length - 1)];
  dot.setAttribute("tabindex", "-1");
  next.removeAttribute("tabindex");
  next.focus();
});
