// The list of scenarios: ticking all of it at once, and how many are ticked.

const form = () => document.getElementById("scenarios");
const boxes = (within) => [...within.querySelectorAll("td.tick input[name=pick]")];

function tell() {
  const list = form();
  if (!list) return;
  const all = list.querySelector(".tick-all");
  const listed = boxes(list);
  const ticked = listed.filter((box) => box.checked).length;
  const unlisted = list.querySelectorAll("input[type=hidden][name=pick]").length;
  if (all) {
    all.checked = ticked > 0 && ticked === listed.length;
    all.indeterminate = ticked > 0 && ticked < listed.length;
  }
  const count = ticked + unlisted;
  list.querySelector("#run-ticked").textContent = count ? `Run ${count} ticked` : "Run ticked";
}

document.addEventListener("change", (event) => {
  const list = form();
  if (!list?.contains(event.target)) return;
  if (event.target.matches(".tick-all")) for (const box of boxes(list)) box.checked = event.target.checked;
  tell();
});
for (const moment of ["DOMContentLoaded", "htmx:afterSettle"]) document.addEventListener(moment, tell);
// Going back, a browser ticks what was ticked before.
addEventListener("pageshow", tell);
