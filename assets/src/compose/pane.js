// The pane with expected and answered: what it shows, Send without leaving the page, back and forward.

import { reasonOf } from "../shell/reason.js";

const pane = document.getElementById("pane");
const answer = () => document.getElementById("answer");

// --- What the pane shows: both sides compared, or the expectation to be edited beside the answer ---

function show(what, answered) {
  pane.dataset.pane = what;
  const view = answered && pane.querySelector(`[name=answered-view][value=${answered}]`);
  if (view) view.checked = true;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("#pane [data-pane]:is(button)");
  if (button) show(button.dataset.pane, button.dataset.answered);
  // An action on the expectation shows it.
  const action = event.target.closest("#pane button[name=do]")?.value ?? "";
  if (action.startsWith("expect-") && !action.startsWith("expect-value:")) show("edit");
});

// An expectation that is being edited is not the case's any more.
document.addEventListener("input", (event) => {
  if (event.target.id === "expectation") pane.querySelector(".from-case")?.remove();
});

// --- Send ---

const send = document.getElementById("send");

// The second click of a double click sends nothing.
document.addEventListener(
  "click",
  (event) => {
    if (event.detail < 2 || !event.target.closest("#send, [data-presses]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);
document.addEventListener("click", (event) => {
  const other = event.target.closest("[data-presses]");
  if (!other) return;
  event.preventDefault();
  send.click();
  pane.scrollIntoView();
});

for (const failed of ["htmx:sendError", "htmx:responseError"]) {
  send.addEventListener(failed, (event) => {
    const line = document.createElement("p");
    line.className = "field-error";
    line.textContent = `! ${reasonOf(event) || "The sandbox does not answer: look whether it runs, and send again."}`;
    document.getElementById("target").append(line);
  });
}

// --- A new answer: the case's glyph, and the page's address ---

function taken() {
  const now = answer();
  if (now.dataset.taken) return;
  now.dataset.taken = "yes";
  show(now.dataset.delivery ? "compare" : "edit");
  const glyph = document.getElementById("answered-verdict");
  const listed = document.querySelector(`[data-case="${CSS.escape(now.dataset.case)}"] .case-verdict`);
  if (glyph && listed && now.contains(glyph) && isNewest(now))
    listed.replaceWith(glyph.content.cloneNode(true));
  const address = now.dataset.address;
  if (address && now.dataset.case && now.dataset.delivery !== history.state?.delivery)
    history.pushState({ delivery: now.dataset.delivery }, "", address);
}

const isNewest = (now) =>
  [...document.querySelectorAll("#history .dot")].at(-1)?.dataset.delivery === now.dataset.delivery;

document.addEventListener("htmx:afterSwap", taken);
answer().dataset.taken = "yes";
history.replaceState({ ...history.state, delivery: answer().dataset.delivery ?? "" }, "", ownAddress());

// The address of the page; where it is that of a POST, one to which Back can lead.
function ownAddress() {
  const { action, edition, fixture, parent, answered } = document.getElementById("compose").elements;
  if (location.pathname === "/" || !(parent.value || fixture.value)) return location.href;
  const query = new URLSearchParams(
    parent.value
      ? { from: parent.value }
      : { action: action.value, edition: edition.value, fixture: fixture.value },
  );
  if (answered.value) query.set("delivery", answered.value);
  return `/?${query}`;
}

// --- Back and forward, without leaving the page ---

// Shows an answer of the case, or again the one that was judged anew.
export function reopen(delivery) {
  const { elements } = document.getElementById("compose");
  const asked = ["action", "edition", "fixture", "receiver"].map((name) => [name, elements[name].value]);
  const fetching = document.getElementById("reopen");
  fetching.setAttribute("hx-vals", JSON.stringify({ ...Object.fromEntries(asked), delivery }));
  fetching.dispatchEvent(new Event("reopen"));
}

addEventListener("popstate", (event) => {
  if (typeof event.state?.delivery === "string") reopen(event.state.delivery);
});

// --- The menu of receivers, from where its address is what is wrong ---

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-opens]");
  const menu = link && document.querySelector(`.${link.dataset.opens}`);
  if (!menu) return;
  event.preventDefault();
  event.stopPropagation();
  menu.open = true;
  menu.querySelector("summary").focus();
});
