// The pages work without these scripts, which save reloads and never read JSON:
// what goes over the wire is parsed by the server only.

import "htmx.org";
import "htmx-ext-sse";
import "../scenarios/scenarios.js";
import "../review/review.js";
import "../runs/drop.js";
import "../runs/icon.js";
import "../log/log.js";
import "../log/page.js";
import "../palette/palette.js";
import "../probe/probe.js";
import "./arrows.js";
import "./keys.js";
import "./last_shown.js";
import "./menus.js";
import "./differences.js";
import "./rules.js";
import { reasonOf } from "./reason.js";
import { ownZone } from "./times.js";

const root = document.documentElement;
root.classList.add("scripted");

// --- Each form sends once: a page that is shown again, also from the history, gets a new form id ---

addEventListener("pageshow", () => {
  // A confirmation is for one send: it is cleared when the page is shown again.
  for (const field of document.querySelectorAll("input[name=confirmed]")) field.checked = false;
  for (const field of document.querySelectorAll("input[name=form_id]")) {
    field.value = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
  }
});

// --- The theme changes in place, so that nothing typed is lost ---

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.themes")) return;
  event.preventDefault();
  const chosen = event.submitter;
  if (chosen.value === "system") delete root.dataset.theme;
  else root.dataset.theme = chosen.value;
  for (const each of event.target.elements) each.setAttribute("aria-pressed", String(each === chosen));
  fetch(event.target.action, { method: "POST", body: new URLSearchParams({ theme: chosen.value }) });
});

// --- A check without an answer says so, in place of its earlier result ---

for (const failed of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failed, (event) => {
    const findings = document.getElementById("findings");
    if (event.detail.target !== findings) return;
    const line = document.createElement("p");
    line.className = "warn";
    line.textContent = `! not checked: ${reasonOf(event) || "the sandbox does not answer"}`;
    findings.classList.remove("wrong");
    findings.replaceChildren(line);
  });
}

// --- The result of a delivery takes over the focus of the part in flight that it replaces ---

let focusWasIn = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  focusWasIn = event.detail.target.contains(document.activeElement) ? event.detail.target.id : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (!focusWasIn || document.activeElement !== document.body) return;
  const heading = document.getElementById(focusWasIn)?.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus();
  focusWasIn = null;
});

// --- The elapsed time of a delivery in flight ---

const counting = new Map();

function count() {
  for (const [element, start] of counting) {
    if (element.isConnected) element.textContent = `${((performance.now() - start) / 1000).toFixed(1)} s`;
    else counting.delete(element);
  }
  if (counting.size) setTimeout(count, 100);
}

function startCounting(element) {
  const idle = counting.size === 0;
  counting.set(element, performance.now() - Number(element.dataset.elapsed));
  if (idle) count();
}

function showCurrent() {
  const list = document.getElementById("recent");
  const current = list?.querySelector("[aria-current]");
  if (current) list.scrollTop = current.offsetTop - (list.clientHeight - current.offsetHeight) / 2;
}

// The script of the views of bodies comes with the first body.
function loadBodies(scope) {
  const src = scope.querySelector("pre[data-code]")?.dataset.code;
  if (!src || root.classList.contains("with-code-views")) return;
  const script = document.createElement("script");
  script.src = src;
  root.classList.add("with-code-views");
  document.head.append(script);
}

function prepare(scope) {
  showCurrent();
  loadBodies(scope);
  scope.querySelectorAll("time[datetime]").forEach(ownZone);
  scope.querySelectorAll("[data-elapsed]").forEach(startCounting);
  scope.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });
  });
}

document.addEventListener("DOMContentLoaded", () => prepare(document));
document.addEventListener("htmx:afterSwap", () => prepare(document));

// --- A browser allows six connections to a host: a hidden tab closes its stream ---

const streams = new Map();

document.addEventListener("htmx:sseOpen", (event) => {
  // What is watched in the background shows its verdict in the title and the icon of the tab.
  if (event.target.matches("[data-background]")) return;
  streams.set(event.target, event.detail.source);
  if (document.hidden) event.detail.source.close();
});
document.addEventListener("htmx:sseClose", (event) => streams.delete(event.target));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    for (const source of streams.values()) source.close();
  } else {
    // The reloaded page shows the delivery's state, and connects again if it is still in flight.
    for (const element of [...streams.keys()]) element.dispatchEvent(new Event("shown"));
    streams.clear();
  }
});
