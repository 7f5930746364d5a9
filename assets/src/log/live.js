// Keeps the log's page up to date: new and changed rows come as markup from the server.

import { ownZone } from "../shell/times.js";
import { Announcer } from "./announcer.js";
import { mark, openId, rowOf, withPreview } from "./preview.js";
import { Reading } from "./reading.js";
import { LogRows } from "./rows.js";
import { LogStream } from "./stream.js";

const SILENT = "Not live: the sandbox does not answer.";

export class LiveLog {
  #isOutdated = false; // the stream cannot go on from what the page shows
  #isSilent = true; // until the stream has begun
  #asking = null; // aborts the fetch under way

  // `onMade` is called when the list was made anew.
  constructor(section, { onMade }) {
    const list = () => this.list;
    this.section = section;
    this.isMaking = false; // the filter's form is being replaced: a field that goes says that it changed
    this.address = withPreview(location.href, ""); // of the list that is shown
    this.onChanged = () => {}; // called with the id of a delivery whose row changed
    this.onMade = onMade;
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
        notice: (markup) => this.#showNotice(markup),
      },
      onSilence: (isSilent) => {
        this.#isSilent = isSilent;
        this.#showState();
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
    const changed = [...table.tBodies[0].rows];
    const fresh = this.rows.take(table.tBodies[0].rows, beyond);
    this.#showChip();
    for (const { id } of changed) this.onChanged(id.slice("row-".length));
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

  // What every page says of the log stands above this one.
  #showNotice(markup) {
    const template = document.createElement("template");
    template.innerHTML = markup;
    document.getElementById("log-notice").replaceChildren(template.content);
    this.#showState();
  }

  // A list without what others send is not live.
  #showState() {
    const isAway = document.querySelector("#log-notice .away") !== null;
    this.#part("#live-state").hidden = this.#isSilent || isAway || !this.section.dataset.live;
  }

  #readingEnded() {
    if ((!this.rows.areWaiting && !this.#isOutdated) || !this.list || this.reading.isGoingOn) return;
    this.#bringUpToDate();
  }

  #goToNewest() {
    getSelection().removeAllRanges();
    document.getElementById("main").focus({ preventScroll: true });
    this.#bringUpToDate();
    this.#part(".scroll").scrollTo({ top: 0 });
    scrollTo({ top: 0 });
  }

  #bringUpToDate() {
    if (this.#isOutdated) this.#reload();
    else this.rows.show();
    this.#showChip();
  }

  // Fetches the list anew, where the stream cannot go on from the rows that it shows.
  async #reload() {
    if (this.list && this.reading.isGoingOn) {
      this.#isOutdated = true;
      return this.#showChip();
    }
    await this.#make(this.address, { isTyped: true });
  }

  // Shows another part of the log. The form of the filter stays as it is where it asked for that.
  async show(address, { isTyped = false, isMore = false, isInHistory = false } = {}) {
    this.section.setAttribute("aria-busy", "true");
    const isMade = await this.#make(withPreview(address, ""), { isTyped });
    if (!isMade) return;
    this.section.removeAttribute("aria-busy");
    if (isMore) history.replaceState({ log: true }, "", address);
    else if (!isInHistory) history.pushState({ log: true }, "", address);
    mark(rowOf(openId()));
  }

  // Whether the list of this address was fetched and shown; it is not where another was asked for meanwhile.
  async #make(address, { isTyped }) {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.stream.forget();
    const text = await fetch(address, { signal: asking.signal })
      .then((answer) => answer.text())
      .catch(() => null);
    if (asking.signal.aborted) return false;
    if (text === null) {
      // The stream is opened again from where the page began, and then asks for another reload.
      this.stream.retry();
      this.section.removeAttribute("aria-busy");
      return false;
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    const made = page.getElementById("log");
    if (!made) {
      location.assign(address);
      return false;
    }
    this.address = address;
    this.rows.forget();
    this.#isOutdated = false;
    this.#become(made, isTyped);
    document.getElementById("log-notice").replaceWith(page.getElementById("log-notice"));
    this.#showState();
    this.stream.connect();
    return true;
  }

  #become(made, isTyped) {
    const form = this.#part("#log-filter");
    const madeForm = made.querySelector("#log-filter");
    if (!form || !madeForm) this.section.replaceChildren(...made.childNodes);
    else {
      // What is being typed stays.
      this.isMaking = true;
      if (!isTyped) form.replaceWith(madeForm);
      this.isMaking = false;
      for (const id of ["#log-count", "#log-list"]) this.#part(id).replaceWith(made.querySelector(id));
    }
    if (made.dataset.live) this.section.dataset.live = made.dataset.live;
    else delete this.section.dataset.live;
    this.section.querySelectorAll("table.log time[datetime]").forEach(ownZone);
    mark(rowOf(openId()));
    this.onMade();
  }
}
