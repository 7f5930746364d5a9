// The log's page as it goes on: rows come as markup from the server, and each is put in its place by time.

import htmx from "htmx.org";
import { ownZone } from "../shell/times.js";

const MOST = 200; // rows in the page, and rows that wait while it is paused
const STREAMS = 3; // connections for all tabs together: a browser has six for a host, and pages need some
const AGAIN = 1000; // milliseconds until a tab without a stream of its own looks again
const PATIENCE = 3000; // milliseconds without the sandbox before that is said
const FRESH = 4000; // milliseconds for which a new row is marked
const SAY_EVERY = 5000; // milliseconds between two announcements
const SETTLED = 250; // milliseconds after which a pause is over: who clicks somewhere ends a selection first

let section, source, after, releaseSlot, nextTry, silence;
let isConnecting = false;
let isPressed = false;
let isOutdated = false; // what the page shows cannot be gone on from
const waiting = new Map(); // rows by their id, while it is paused
let unseen = 0; // how many new rows wait, also those that were too many to keep

const list = () => section.querySelector("table.log > tbody");
const key = (row) => `${row.dataset.sent} ${row.id}`;

// --- Rows ---

function received(markup) {
  const template = document.createElement("template");
  template.innerHTML = markup;
  const table = template.content.querySelector("table");
  const count = table.querySelector("caption")?.textContent;
  if (count) section.querySelector("#log-count").textContent = count;
  if (!list()) return reload();
  const fresh = [];
  let beyond = Number(table.tBodies[0].dataset.more);
  // The oldest first, so that each finds its place near the top.
  for (const row of [...table.tBodies[0].rows].reverse()) {
    const old = document.getElementById(row.id);
    if (row.matches(".gone")) {
      if (waiting.delete(row.id) && !old) unseen -= 1;
      old?.remove();
    } else if (old) {
      if (isSelecting()) waiting.set(row.id, row);
      else replace(old, row);
    } else if (belongs(row)) {
      if (!waiting.has(row.id)) fresh.push(row);
      waiting.set(row.id, row);
    }
  }
  unseen += fresh.length + (fresh.length ? beyond : 0);
  if (!isPaused()) show();
  else if (waiting.size > MOST) {
    const kept = [...waiting].sort(([, one], [, other]) => (key(one) < key(other) ? 1 : -1)).slice(0, MOST);
    waiting.clear();
    for (const [id, row] of kept) waiting.set(id, row);
  }
  tell();
  if (fresh.length) announce(fresh.length + beyond, fresh.at(-1).id);
}

// Whether a row is of this page: what is older than its last row is on the next one, if there is a next one.
function belongs(row) {
  const last = list().rows[list().rows.length - 1];
  return !last || !section.querySelector("nav.paging [rel=next]") || key(row) > key(last);
}

function place(row) {
  const body = list();
  const rank = key(row);
  const older = [...body.rows].find((each) => key(each) < rank);
  body.insertBefore(prepared(row), older ?? null);
}

function prepared(row) {
  row.querySelectorAll("time[datetime]").forEach(ownZone);
  return row;
}

// What the reader does with a row goes on in the row that takes its place.
function replace(old, row) {
  const focused = old.contains(document.activeElement) ? document.activeElement.tagName : null;
  const box = row.querySelector("input[name=delivery]");
  if (box) box.checked = old.querySelector("input[name=delivery]")?.checked ?? false;
  for (const name of ["aria-current", "class"]) {
    if (old.hasAttribute(name)) row.setAttribute(name, old.getAttribute(name));
  }
  if (row.matches(".fresh")) fade(row);
  if (key(old) === key(row)) old.replaceWith(prepared(row));
  else {
    old.remove();
    place(row);
  }
  if (focused) (row.querySelector(focused) ?? row.querySelector("a")).focus({ preventScroll: true });
}

function show() {
  for (const row of waiting.values()) {
    const old = document.getElementById(row.id);
    if (old) replace(old, row);
    else {
      row.classList.add("fresh");
      fade(row);
      place(row);
    }
  }
  waiting.clear();
  unseen = 0;
  section.querySelector(".of-log > .empty")?.remove();
  trim();
}

function fade(row) {
  setTimeout(() => row.classList.remove("fresh"), FRESH);
}

function trim() {
  const body = list();
  const beyond = [...body.rows].slice(MOST).filter((row) => !isInUse(row));
  if (!beyond.length) return;
  for (const row of beyond) row.remove();
  const last = [...body.rows].slice(0, MOST).findLast((row) => row.querySelector("input[name=delivery]"));
  if (!last) return;
  const older = new URL(location.href);
  older.searchParams.set("before", last.querySelector("input[name=delivery]").value);
  let link = section.querySelector("nav.paging [rel=next]");
  if (!link) {
    section.insertAdjacentHTML("beforeend", '<nav class="paging row" aria-label="Pages of the log"><a rel="next">Older →</a></nav>');
    link = section.querySelector("nav.paging [rel=next]");
  }
  link.href = older.pathname + older.search;
}

// --- Pausing ---

const isInUse = (row) => row.contains(document.activeElement) || row.querySelector("input[name=delivery]:checked") !== null;

function isSelecting() {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(list(), true);
}

function isPaused() {
  const body = list();
  return (
    isPressed ||
    body.closest("table").getBoundingClientRect().top < 0 ||
    body.contains(document.activeElement) ||
    body.querySelector("input[name=delivery]:checked") !== null ||
    isSelecting()
  );
}

function tell() {
  const chip = section.querySelector("#live-chip");
  chip.parentElement.hidden = !unseen && !isOutdated;
  chip.querySelector("b").textContent = isOutdated ? "More" : unseen.toLocaleString();
}

let settling;

function settle() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    if ((!waiting.size && !isOutdated) || !list() || isPaused()) return;
    if (isOutdated) reload();
    else show();
    tell();
  }, SETTLED);
}

for (const moment of ["scroll", "selectionchange", "change", "focusout", "pointerup", "pointercancel"]) {
  document.addEventListener(moment, (event) => {
    if (event.type.startsWith("pointer")) isPressed = false;
    if (section) settle();
  }, { passive: true });
}
document.addEventListener("pointerdown", (event) => {
  isPressed = Boolean(section && list()?.contains(event.target));
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#live-chip")) return;
  getSelection().removeAllRanges();
  document.getElementById("main").focus({ preventScroll: true });
  if (isOutdated) reload();
  else show();
  tell();
  scrollTo({ top: 0 });
});

// --- What is said to those who do not see it: a little, and not often ---

let announced = -SAY_EVERY;
let toSay = 0;
let saying;

function announce(count, id) {
  toSay += count;
  if (saying) return;
  // After a moment: of one alone its verdict is said, which may be just coming.
  saying = setTimeout(() => {
    saying = null;
    announced = performance.now();
    const row = document.getElementById(id) ?? waiting.get(id);
    const verdict = row?.querySelector(".verdict")?.lastChild.textContent.trim();
    const said = toSay === 1 && verdict ? `New delivery: ${verdict}` : `${toSay.toLocaleString()} new deliveries`;
    section.querySelector("#live-said").textContent = said;
    toSay = 0;
  }, Math.max(1000, announced + SAY_EVERY - performance.now()));
}

// --- The list anew, where it cannot be gone on from what is shown ---

async function reload() {
  if (list() && isPaused()) {
    isOutdated = true;
    return tell();
  }
  disconnect();
  after = null;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer) {
    // It goes on from where the page began, and is then told again that it cannot.
    missing();
    nextTry = setTimeout(connect, AGAIN);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const made = page.getElementById("log");
  if (!answer.ok || !made?.dataset.live) return location.reload();
  const selected = new Set([...section.querySelectorAll("input[name=delivery]:checked")].map((box) => box.value));
  waiting.clear();
  unseen = 0;
  isOutdated = false;
  const [body, madeBody] = [list(), made.querySelector("table.log > tbody")];
  if (body && madeBody) {
    // What is typed into the filter stays.
    body.replaceWith(madeBody);
    if (madeBody.rows.length) section.querySelector(".of-log > .empty")?.remove();
    section.querySelector("#log-count").replaceWith(made.querySelector("#log-count"));
    section.querySelector("nav.paging")?.remove();
    const paging = made.querySelector("nav.paging");
    if (paging) section.append(paging);
  } else {
    section.replaceChildren(...made.childNodes);
    htmx.process(section);
  }
  section.dataset.live = made.dataset.live;
  section.querySelectorAll("table.log time[datetime]").forEach(ownZone);
  for (const box of section.querySelectorAll("input[name=delivery]")) box.checked = selected.has(box.value);
  tell();
  connect();
}

// --- The stream ---

// A stream for as long as this tab keeps it: one of a few that all tabs share.
async function hasSlot() {
  if (!navigator.locks) return true;
  for (let number = 0; number < STREAMS; number += 1) {
    const got = await new Promise((resolve) => {
      navigator.locks.request(`log-stream-${number}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise((release) => { releaseSlot = release; });
      });
    });
    if (got) return true;
  }
  return false;
}

async function connect() {
  if (!section?.dataset.live || source || isConnecting || document.hidden) return;
  isConnecting = true;
  const streams = await hasSlot();
  isConnecting = false;
  if (document.hidden) return disconnect();
  const url = new URL(section.dataset.live, location.href);
  if (after) url.searchParams.set("after", after);
  if (!streams) url.searchParams.set("once", "");
  const opened = new EventSource(url);
  source = opened;
  const heard = (name, act) => opened.addEventListener(name, (event) => {
    if (source !== opened) return;
    if (event.lastEventId) after = event.lastEventId;
    act(event.data);
  });
  heard("rows", received);
  heard("seen", () => {});
  heard("reload", reload);
  heard("problem", say);
  heard("mended", () => say(""));
  opened.onopen = () => {
    clearTimeout(silence);
    silence = null;
    if (section.querySelector("#live-problem").dataset.of === "silence") say("");
  };
  opened.onerror = () => {
    missing();
    // What the browser opens again by itself it opens with the last event's id.
    if (streams && opened.readyState !== EventSource.CLOSED) return;
    disconnect();
    nextTry = setTimeout(connect, AGAIN);
  };
}

function missing() {
  silence ??= setTimeout(() => say("Not live: the sandbox does not answer.", "silence"), PATIENCE);
}

function disconnect() {
  clearTimeout(nextTry);
  source?.close();
  source = null;
  releaseSlot?.();
  releaseSlot = null;
}

function say(problem, of = "log") {
  const line = section.querySelector("#live-problem");
  line.hidden = !problem;
  line.dataset.of = of;
  line.querySelector("span:last-child").textContent = problem;
}

function begin() {
  section = document.querySelector("#log[data-live]");
  connect();
}

document.addEventListener("DOMContentLoaded", begin);
document.addEventListener("visibilitychange", () => {
  clearTimeout(silence);
  silence = null;
  if (document.hidden) disconnect();
  else connect();
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => { if (event.persisted) begin(); });
