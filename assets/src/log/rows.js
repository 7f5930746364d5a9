// The rows of the log's table. A new row is inserted in order of time, or kept until the reader has finished.

import { ownZone } from "../shell/times.js";

const MOST = 200; // rows in the page, and rows that wait
const FRESH_MS = 4000; // for which a new row is marked

const key = (row) => `${row.dataset.sent} ${row.id}`;
const boxOf = (row) => row.querySelector("input[name=delivery]");
const newestFirst = (one, other) => (key(one) < key(other) ? 1 : -1);

function prepared(row) {
  row.querySelectorAll("time[datetime]").forEach(ownZone);
  return row;
}

function fade(row) {
  setTimeout(() => row.classList.remove("fresh"), FRESH_MS);
}

export class LogRows {
  #waiting = new Map(); // by their id
  #oldest = ""; // the `key` of the oldest row that waits, where older ones were too many to keep
  unseen = 0; // the number of new rows that are not in the page yet, with those that were too many to keep

  constructor(section, list, reading) {
    this.section = section;
    this.list = list;
    this.reading = reading;
  }

  get areWaiting() {
    return this.#waiting.size > 0;
  }

  // A row by its id, in the page or waiting.
  find(id) {
    return document.getElementById(id) ?? this.#waiting.get(id);
  }

  // Rows as the server renders them, the newest first; `beyond` more came with them and are not among them.
  // Returns those that are new here, the oldest first.
  take(rows, beyond) {
    // The oldest first, so that each finds its place near the top.
    const fresh = [...rows].reverse().filter((row) => this.#takeOne(row));
    this.unseen += fresh.length + (fresh.length ? beyond : 0);
    if (!this.reading.isGoingOn) this.show();
    else this.#dropOldest(beyond);
    return fresh;
  }

  #takeOne(row) {
    const old = document.getElementById(row.id);
    if (row.matches(".gone")) {
      if (this.#waiting.delete(row.id) && !old) this.unseen -= 1;
      old?.remove();
      return false;
    }
    if (old) {
      if (this.reading.isSelecting) this.#waiting.set(row.id, row);
      else this.#replace(old, row);
      return false;
    }
    if (!this.#belongs(row) || key(row) < this.#oldest) return false;
    const isNew = !this.#waiting.has(row.id);
    this.#waiting.set(row.id, row);
    return isNew;
  }

  // Whether a row belongs on this page: where there is a next page, rows older than the last one belong there.
  #belongs(row) {
    const { rows } = this.list();
    return !rows.length || !this.#nextPage || key(row) > key(rows[rows.length - 1]);
  }

  get #nextPage() {
    return this.section.querySelector("nav.paging [rel=next]");
  }

  // A row that is dropped is counted already: its later changes are not taken.
  #dropOldest(beyond) {
    if (this.#waiting.size <= MOST && !beyond) return;
    const kept = [...this.#waiting.values()].sort(newestFirst).slice(0, MOST);
    this.#waiting = new Map(kept.map((row) => [row.id, row]));
    this.#oldest = kept.length ? key(kept.at(-1)) : "";
  }

  // Puts the waiting rows into the page.
  show() {
    for (const row of this.#waiting.values()) {
      const old = document.getElementById(row.id);
      if (old) this.#replace(old, row);
      else {
        row.classList.add("fresh");
        fade(row);
        this.#place(row);
      }
    }
    this.forget();
    this.section.querySelector(".of-log .empty")?.remove();
    this.#trim();
  }

  // Drops the waiting rows.
  forget() {
    this.#waiting.clear();
    this.#oldest = "";
    this.unseen = 0;
  }

  #place(row) {
    const body = this.list();
    const rank = key(row);
    const older = [...body.rows].find((each) => key(each) < rank);
    body.insertBefore(prepared(row), older ?? null);
  }

  // The row that replaces another keeps its focus and selection.
  #replace(old, row) {
    const focused = old.contains(document.activeElement) ? document.activeElement.tagName : null;
    const box = boxOf(row);
    if (box) box.checked = boxOf(old)?.checked ?? false;
    for (const name of ["aria-current", "class"]) {
      if (old.hasAttribute(name)) row.setAttribute(name, old.getAttribute(name));
    }
    if (row.matches(".fresh")) fade(row);
    if (key(old) === key(row)) old.replaceWith(prepared(row));
    else {
      old.remove();
      this.#place(row);
    }
    if (focused) (row.querySelector(focused) ?? row.querySelector("a")).focus({ preventScroll: true });
  }

  #trim() {
    const rows = [...this.list().rows];
    const beyond = rows.slice(MOST).filter((row) => !this.reading.uses(row));
    if (!beyond.length) return;
    for (const row of beyond) row.remove();
    const last = rows.slice(0, MOST).findLast(boxOf);
    if (last) this.#linkOlder(boxOf(last).value);
  }

  #linkOlder(id) {
    const older = new URL(location.href);
    older.searchParams.set("before", id);
    if (!this.#nextPage) {
      const paging = '<nav class="paging row" aria-label="Pages of the log"><a rel="next">Older →</a></nav>';
      this.section.querySelector(".scroll").insertAdjacentHTML("beforeend", paging);
    }
    this.#nextPage.href = older.pathname + older.search;
  }
}
