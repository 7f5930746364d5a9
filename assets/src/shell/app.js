// The page works without any of this. What stands here makes it quicker and calmer, and never touches JSON:
// what goes over the wire is parsed by the server only.

import "htmx.org";
import "htmx-ext-sse";
import "../scenarios/scenarios.js";
import "../review/review.js";
import "../runs/drop.js";
import "../log/live.js";
import "../log/log.js";
import { ownZone } from "./times.js";

const root = document.documentElement;
root.classList.add("scripted");

// --- One click, one send: a page that is shown again, also from the history, is a new form ---

addEventListener("pageshow", () => {
  // A yes is for one send, and not for the page that comes back after it.
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

// --- While checking: silence is not a tick ---

for (const failed of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failed, (event) => {
    const findings = document.getElementById("findings");
    if (event.detail.target !== findings) return;
    const line = document.createElement("p");
    line.className = "errored";
    line.textContent = "! not checked: the sandbox does not answer";
    findings.classList.remove("wrong");
    findings.replaceChildren(line);
  });
}

// --- The result that takes the place of what was in flight takes its focus too ---

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

// --- What is in flight counts its time ---

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

function prepare(scope) {
  showCurrent();
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

// --- A browser allows six connections to a host: a hidden tab lets go of its stream ---

const streams = new Map();

document.addEventListener("htmx:sseOpen", (event) => {
  streams.set(event.target, event.detail.source);
  if (document.hidden) event.detail.source.close();
});
document.addEventListener("htmx:sseClose", (event) => streams.delete(event.target));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    for (const source of streams.values()) source.close();
  } else {
    // The page that comes back says how the delivery stands now, and connects again if it is still in flight.
    for (const element of [...streams.keys()]) element.dispatchEvent(new Event("shown"));
    streams.clear();
  }
});
