// Keeps the log's page up to date: new and changed rows come as markup from the server.

import htmx from "htmx.org";
import { ownZone } from "../shell/times.js";
import { Announcer } from "./announcer.js";
import { Reading } from "./reading.js";
import { LogRows } from "./rows.js";
import { LogStream } from "./stream.js";

const SILENT = "Not live: the sandbox does not answer.";

class LiveLog {
  #isOutdated = false; // the stream cannot go on from what the page shows

  constructor(section) {
    const list = () => this.list;
    this.section = section;
    this.reading = new Reading(list, () => this.#readingEnded());
    this.rows = new LogRows(section, list, this.reading);
    this.announcer = new Announcer(
      (id) => this.rows.find(id),
      (words) => this.#part("#live-status").replaceChildren(words),
    );
    this.stream = new LogStream({
      address: () => section.dataset.live,
      handlers: {
        rows: (markup) => this.#received(markup),
        seen: () => {},
        reload: () => this.#reload(),
        problem: (problem) => this.#showProblem(problem, "log"),
        fixed: () => this.#showProblem("", "log"),
      },
      onSilence: (isSilent) => {
        if (isSilent) this.#showProblem(SILENT, "silence");
        else if (this.#part("#live-problem").dataset.of === "silence") this.#showProblem("", "log");
      },
    });
    section.addEventListener("click", (event) => {
      if (event.target.closest("#live-chip")) this.#goToNewest();
    });
    this.stream.connect();
  }

  get list() {
    return this.#part("table.log > tbody");
  }

  #part(selector) {
    return this.section.querySelector(selector);
  }

  #received(markup) {
    const template = document.createElement("template");
    template.innerHTML = markup;
    const table = template.content.querySelector("table");
    const count = table.querySelector("caption")?.textContent;
    if (count) this.#part("#log-count").textContent = count;
    if (!this.list) return this.#reload();
    const beyond = Number(table.tBodies[0].dataset.more);
    const fresh = this.rows.take(table.tBodies[0].rows, beyond);
    this.#showChip();
    if (fresh.length) this.announcer.announce(fresh.length + beyond, fresh.at(-1).id);
  }

  #showChip() {
    const chip = this.#part("#live-chip");
    chip.parentElement.hidden = !this.rows.unseen && !this.#isOutdated;
    chip.querySelector("b").textContent = this.#isOutdated ? "More" : this.rows.unseen.toLocaleString();
  }

  #showProblem(problem, source) {
    const line = this.#part("#live-problem");
    line.hidden = !problem;
    line.dataset.of = source;
    line.querySelector("span:last-child").textContent = problem;
  }

  #readingEnded() {
    if ((!this.rows.areWaiting && !this.#isOutdated) || !this.list || this.reading.isGoingOn) return;
    this.#bringUpToDate();
  }

  #goToNewest() {
    getSelection().removeAllRanges();
    document.getElementById("main").focus({ preventScroll: true });
    this.#bringUpToDate();
    scrollTo({ top: 0 });
  }

  #bringUpToDate() {
    if (this.#isOutdated) this.#reload();
    else this.rows.show();
    this.#showChip();
  }

  // Fetches the page anew, where the stream cannot go on from the rows that it shows.
  async #reload() {
    if (this.list && this.reading.isGoingOn) {
      this.#isOutdated = true;
      return this.#showChip();
    }
    this.stream.forget();
    const answer = await fetch(location.href).catch(() => null);
    // The stream is opened again from where the page began, and then asks for another reload.
    if (!answer) return this.stream.retry();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const made = page.getElementById("log");
    if (!answer.ok || !made?.dataset.live) return location.reload();
    this.rows.forget();
    this.#isOutdated = false;
    this.#become(made);
    this.#showChip();
    this.stream.connect();
  }

  #become(made) {
    const boxes = (state) => [...this.section.querySelectorAll(`input[name=delivery]${state}`)];
    const selected = new Set(boxes(":checked").map((box) => box.value));
    const madeList = made.querySelector("table.log > tbody");
    if (this.list && madeList) {
      // What is typed into the filter stays.
      this.list.replaceWith(madeList);
      if (madeList.rows.length) this.#part(".of-log > .empty")?.remove();
      this.#part("#log-count").replaceWith(made.querySelector("#log-count"));
      this.#part("nav.paging")?.remove();
      const paging = made.querySelector("nav.paging");
      if (paging) this.section.append(paging);
    } else {
      this.section.replaceChildren(...made.childNodes);
      htmx.process(this.section);
    }
    this.section.dataset.live = made.dataset.live;
    this.section.querySelectorAll("table.log time[datetime]").forEach(ownZone);
    for (const box of boxes("")) box.checked = selected.has(box.value);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const section = document.querySelector("#log[data-live]");
  if (section) new LiveLog(section);
});
