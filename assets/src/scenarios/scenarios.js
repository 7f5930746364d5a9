// The list of scenarios: selecting a page of it at once, how many are selected, going to another page, and the
// outcome of one that runs in its row. The editor of one: what was typed is there again after Back.

import htmx from "htmx.org";

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

// --- A row runs its scenario, and shows what came of it ---

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.value.startsWith("row:")) return;
  event.preventDefault();
  if (button.ariaDisabled === "true") return;
  // A disabled button would lose the focus.
  button.ariaDisabled = "true";
  const typed = new FormData(event.target);
  const values = { do: button.value };
  for (const name of ["receiver", "shown", "confirmed"]) if (typed.has(name)) values[name] = typed.get(name);
  const target = button.closest("tr").querySelector(".outcome");
  htmx.ajax("POST", "/scenarios/run", { target, swap: "innerHTML", values }).finally(() => {
    button.ariaDisabled = null;
  });
});

// --- The editor ---

const editor = () => document.getElementById("edit");
const typedFields = (form) =>
  [...form.elements].filter(
    (field) => field.name?.startsWith("f-") || ["typed", "off_contract"].includes(field.name),
  );

// A refused edit is shown at an address to which Back can lead.
document.addEventListener("DOMContentLoaded", () => {
  const form = editor();
  if (!form || location.pathname !== new URL(form.action).pathname) return;
  const [id, view, open] = ["id", "view", "opened"].map((name) => form.elements[name].value);
  history.replaceState(history.state, "", `/scenarios/show?${new URLSearchParams({ id, view, open })}`);
});
document.addEventListener("DOMContentLoaded", () => {
  const form = editor();
  const kept = history.state?.edit;
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  // What was typed about an older text of the file is of no use for the present one.
  if (!form || !kept || !["back_forward", "reload"].includes(type) || kept.seen !== form.elements.seen.value)
    return;
  for (const [at, field] of typedFields(form).entries()) {
    if (["radio", "checkbox"].includes(field.type)) field.checked = kept.fields[at] === true;
    else field.value = kept.fields[at] ?? field.value;
  }
  form.elements.typed?.dispatchEvent(new Event("input", { bubbles: true }));
});
addEventListener("pagehide", () => {
  const form = editor();
  if (!form) return;
  const fields = typedFields(form).map((field) =>
    ["radio", "checkbox"].includes(field.type) ? field.checked : field.value,
  );
  history.replaceState({ ...history.state, edit: { seen: form.elements.seen.value, fields } }, "");
});
