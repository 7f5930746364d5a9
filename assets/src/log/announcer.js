// Announces new deliveries to screen readers, in few words and at intervals.

const INTERVAL_MS = 5000; // between two announcements
const DELAY_MS = 1000; // before the first announcement, in which the verdict may arrive

export class Announcer {
  #count = 0;
  #last = -INTERVAL_MS;
  #timer = null;

  // `rowOf` finds a row by its id; `say` shows the words.
  constructor(rowOf, say) {
    this.rowOf = rowOf;
    this.say = say;
  }

  announce(count, id) {
    this.#count += count;
    const wait = Math.max(DELAY_MS, this.#last + INTERVAL_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#speak(id), wait);
  }

  #speak(id) {
    const verdict = this.rowOf(id)?.querySelector(".verdict")?.lastChild.textContent.trim();
    const isAlone = this.#count === 1 && verdict;
    this.say(isAlone ? `New delivery: ${verdict}` : `${this.#count.toLocaleString()} new deliveries`);
    this.#last = performance.now();
    this.#count = 0;
    this.#timer = null;
  }
}
