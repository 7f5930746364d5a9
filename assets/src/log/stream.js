// The connection over which the log's events come, for as long as the tab is shown.

const STREAMS = 3; // connections for all tabs together: a browser has six for a host, and pages need some
const RETRY_MS = 1000; // until a tab without a stream of its own asks for changes again
const PATIENCE_MS = 3000; // without an answer before the page says so

// Takes one of the streams that all tabs share: returns the function that gives it back, or null if none is free.
async function acquireSlot() {
  if (!navigator.locks) return () => {};
  for (let number = 0; number < STREAMS; number += 1) {
    const release = await new Promise((resolve) => {
      navigator.locks.request(`log-stream-${number}`, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(null);
        return new Promise((done) => resolve(done));
      });
    });
    if (release) return release;
  }
  return null;
}

export class LogStream {
  #source = null;
  #lastEventId = null;
  #releaseSlot = null;
  #retry = null;
  #silence = null;
  #isConnecting = false;

  // `address` returns where to listen, or nothing where there is no stream; `handlers` are called by the
  // events' names with their data; `onSilence` is told whether the sandbox has been silent for too long.
  constructor({ address, handlers, onSilence }) {
    this.address = address;
    this.handlers = handlers;
    this.onSilence = onSilence;
    document.addEventListener("visibilitychange", () => {
      this.#stopWaiting();
      if (document.hidden) this.disconnect();
      else this.connect();
    });
    addEventListener("pagehide", () => this.disconnect());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.connect();
    });
  }

  async connect() {
    if (!this.address() || this.#source || this.#isConnecting || document.hidden) return;
    this.#isConnecting = true;
    this.#releaseSlot = await acquireSlot();
    this.#isConnecting = false;
    if (document.hidden) this.disconnect();
    else this.#open();
  }

  disconnect() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    this.#releaseSlot?.();
    this.#releaseSlot = null;
  }

  // Connects again later, after a request without an answer.
  retry() {
    this.#wait();
    this.#retry = setTimeout(() => this.connect(), RETRY_MS);
  }

  // Forgets which event was the last, as the page is made anew.
  forget() {
    this.disconnect();
    this.#lastEventId = null;
  }

  #open() {
    const hasSlot = this.#releaseSlot !== null;
    const source = new EventSource(this.#url(hasSlot));
    this.#source = source;
    for (const [name, handle] of Object.entries(this.handlers)) {
      source.addEventListener(name, (event) => {
        if (this.#source !== source) return;
        if (event.lastEventId) this.#lastEventId = event.lastEventId;
        handle(event.data);
      });
    }
    source.onopen = () => {
      this.#stopWaiting();
      this.onSilence(false);
    };
    source.onerror = () => {
      // A stream that the browser reopens by itself goes on after its last event.
      if (hasSlot && source.readyState !== EventSource.CLOSED) return this.#wait();
      this.disconnect();
      this.retry();
    };
  }

  #url(hasSlot) {
    const url = new URL(this.address(), location.href);
    if (this.#lastEventId) url.searchParams.set("after", this.#lastEventId);
    if (!hasSlot) url.searchParams.set("once", "");
    return url;
  }

  #wait() {
    this.#silence ??= setTimeout(() => this.onSilence(true), PATIENCE_MS);
  }

  #stopWaiting() {
    clearTimeout(this.#silence);
    this.#silence = null;
  }
}
