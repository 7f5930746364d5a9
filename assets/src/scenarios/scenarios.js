// The list of scenarios: selecting a page of it at once, how many are selected, and going to another page.

const form = () => document.getElementById("scenarios");
const boxes = (within) => [...within.querySelectorAll("td.select input[name=pick]")];

function showSelection() {
  const list = form();
  if (!list) return;
  const all = list.querySelector(".select-all");
  const listed = boxes(list);
  const selected = listed.filter((box) => box.checked).length;
  const unlisted = list.querySelectorAll("input[type=hidden][name=pick]").length;
  if (all) {
    all.checked = selected > 0 && selected === listed.length;
    all.indeterminate = selected > 0 && selected < listed.length;
  }
  const count = selected + unlisted;
  list.querySelector("#run-selected").textContent = count ? `Run ${count} selected` : "Run selected";
}

document.addEventListener("change", (event) => {
  const list = form();
  if (!list?.contains(event.target)) return;
  if (event.target.matches(".select-all")) for (const box of boxes(list)) box.checked = event.target.checked;
  showSelection();
});
for (const moment of ["DOMContentLoaded", "htmx:afterSettle"])
  document.addEventListener(moment, showSelection);
// The button that led to another page is gone with the old one: the keyboard goes on at the new rows.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.detail.requestConfig?.elt.closest(".paging")) return;
  form()?.querySelector("#scenario-list [role=region]")?.focus({ preventScroll: true });
});
// After Back a browser restores the selection.
addEventListener("pageshow", showSelection);
