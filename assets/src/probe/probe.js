// The page of a probe: it goes on in place, and arrows go through the map of fields.

import htmx from "htmx.org";
import { morph } from "../shell/morph.js";
import { ownZone } from "../shell/times.js";

const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
const REST = 120; // milliseconds that a cell has the focus before its delivery is looked up

// --- A probe that goes on changes only what differs: focus, open causes and the place in the map stay ---

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, serverResponse, requestConfig } = event.detail;
  if (target.id !== "probe" || xhr.status !== 200) return;
  // A tab that was hidden has closed its stream: the new element connects again.
  if (requestConfig.triggeringEvent?.type === "shown") return;
  const page = new DOMParser().parseFromString(serverResponse, "text/html");
  const next = page.getElementById("probe");
  if (!next) return;
  event.detail.shouldSwap = false;
  // With another address, the element would connect again.
  if (next.hasAttribute("sse-connect")) next.setAttribute("sse-connect", target.getAttribute("sse-connect"));
  const evidence = document.getElementById("cell-evidence");
  if (evidence) next.querySelector("#cell-evidence")?.replaceWith(evidence.cloneNode(true));
  const focused = placeOf(document.activeElement);
  morph(target, next, () => true);
  morph(document.getElementById("announcement"), page.getElementById("announcement"), () => false);
  document.title = page.title;
  target.querySelectorAll("time[datetime]").forEach(ownZone);
  htmx.process(target);
  // New columns may have come before the cell.
  const cell = focused && cells().find((each) => placeOf(each) === focused);
  if (cell && cell !== document.activeElement) cell.focus();
  enter(cell);
  watchEdges();
});

// --- The map: one cell is a stop of the tab key, arrows go on from there ---

const map = () => document.querySelector("table.map");
const cells = () => [...(map()?.querySelectorAll("td > a") ?? [])];

// What a cell is about; nothing for what is no cell.
const placeOf = (element) =>
  element?.matches("table.map td > a") ? `${element.dataset.field} ${element.dataset.what}` : "";

// Makes a cell the stop of the tab key; without one, the first that has something to see.
function enter(cell) {
  const all = cells();
  const entry = cell || all.find((each) => each.closest("td.failed, td.recorded")) || all[0];
  for (const each of all) each.tabIndex = each === entry ? 0 : -1;
}

// The next cell in a direction; what was not tried is passed over.
function beyond(cell, [down, right]) {
  const rows = [...map().tBodies[0].rows];
  let row = rows.indexOf(cell.parentNode.parentNode);
  let column = cell.parentNode.cellIndex;
  for (;;) {
    row += down;
    column += right;
    const found = column > 0 ? rows[row]?.cells[column] : null;
    if (!found) return null;
    if (found.firstElementChild) return found.firstElementChild;
  }
}

document.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const cell = event.target.closest("table.map td > a");
  if (!cell || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const ends = event.key === "Home" || event.key === "End";
  if (!step && !ends) return;
  event.preventDefault();
  const inRow = [...cell.closest("tr").querySelectorAll("td > a")];
  const next = ends ? inRow.at(event.key === "Home" ? 0 : -1) : beyond(cell, step);
  if (next) {
    enter(next);
    next.focus();
  }
});

let waiting = 0;

document.addEventListener("focusin", (event) => {
  const cell = event.target.closest("table.map td > a");
  if (!cell) return;
  enter(cell);
  // Whoever comes back from its delivery goes on here.
  history.replaceState({ ...history.state, cell: placeOf(cell) }, "");
  // The head of its row and of its column must not lie over it.
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  clearTimeout(waiting);
  waiting = setTimeout(() => show(cell), REST);
});

function show(cell) {
  const asked = new URLSearchParams({ field: cell.dataset.field, what: cell.dataset.what });
  const address = `${cell.closest("table").dataset.evidence}?${asked}`;
  htmx.ajax("GET", address, { target: "#cell-evidence", swap: "innerHTML" });
}

// --- What the map's frame cuts off is hinted at ---

const frames = new ResizeObserver((entries) => {
  for (const { target } of entries) fade(target);
});

function fade(frame) {
  const { scrollLeft, scrollTop, scrollWidth, scrollHeight, clientWidth, clientHeight } = frame;
  const { classList } = frame.parentElement;
  classList.toggle("is-cut-right", scrollWidth - scrollLeft - clientWidth > 1);
  classList.toggle("is-cut-below", scrollHeight - scrollTop - clientHeight > 1);
}

function watchEdges() {
  for (const frame of document.querySelectorAll(".map-scroll")) {
    frames.observe(frame);
    fade(frame);
  }
}

document.addEventListener(
  "scroll",
  (event) => {
    if (event.target.matches?.(".map-scroll")) fade(event.target);
  },
  true,
);

document.addEventListener("DOMContentLoaded", () => {
  const [{ type }] = performance.getEntriesByType("navigation");
  const left = type === "back_forward" ? history.state?.cell : undefined;
  const cell = cells().find((each) => placeOf(each) === left);
  enter(cell);
  cell?.focus();
  watchEdges();
});
