// The expected response: its buttons do their work without leaving the page, and its cards follow what is typed.
// The server makes the cards from the JSON text and the text from the cards; nothing here reads either.

import { morph } from "./morph.js";

const PAUSE_MS = 250;
const panel = () => document.getElementById("expectation-field");
const controls = () => [...panel().querySelectorAll("input, textarea, select")];

let queue = Promise.resolve();
let pause = 0;

// One after the other: each has all that was typed until it goes out.
function ask(doing, isFromText = false) {
  clearTimeout(pause);
  queue = queue.then(() => exchange(doing, isFromText));
}

async function exchange(doing, isFromText) {
  const posted = new Map(controls().map((control) => [control, control.value]));
  const body = new URLSearchParams(new FormData(document.getElementById("compose")));
  body.set("do", doing);
  // The text is newer than the cards.
  if (isFromText) for (const name of [...body.keys()]) if (/^expect-(text|json):/.test(name)) body.delete(name);
  const made = await post(body);
  if (!made) return;
  morph(panel(), made, (control) => {
    const isTyped = posted.has(control) && posted.get(control) !== control.value;
    if (isFromText) return false;
    return isTyped || (doing === "show" && control === document.activeElement);
  });
  if (doing.startsWith("expect-open:")) document.getElementById("rule_word")?.focus();
  if (doing.startsWith("expect-member:")) focusLast(doing.slice("expect-member:".length));
  if (doing.startsWith("expect-add:")) focusLast(doing.slice("expect-add:".length));
}

async function post(body) {
  try {
    const response = await fetch("/compose", { method: "POST", body, headers: { "HX-Request": "true", "HX-Target": "expectation-field" } });
    if (response.ok) return new DOMParser().parseFromString(await response.text(), "text/html").getElementById("expectation-field");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  document.getElementById("expectation-notice").textContent = "! The sandbox does not answer: what is typed here stays.";
  return null;
}

function focusLast(pointer) {
  const added = controls().filter((each) => each.dataset.pointer?.startsWith(`${pointer}/`));
  const last = added.at(-1)?.dataset.pointer.slice(pointer.length + 1).split("/")[0];
  added.find((each) => each.dataset.pointer.slice(pointer.length + 1).split("/")[0] === last)?.focus();
}

document.addEventListener("submit", (event) => {
  const doing = event.submitter?.value ?? "";
  if (event.target.id !== "compose" || !doing.startsWith("expect-")) return;
  event.preventDefault();
  ask(doing);
});

document.addEventListener("change", (event) => {
  if (event.target.id === "pick") ask("pick");
  else if (isInCards(event.target)) ask("show");
});

document.addEventListener("input", (event) => {
  if (event.target.id === "expectation" && event.target.hidden) ask("show", true);
  if (!isInCards(event.target)) return;
  clearTimeout(pause);
  pause = setTimeout(() => ask("show"), PAUSE_MS);
});

// A browser that comes back may have filled the text in by itself; the cards are still those that were sent.
addEventListener("load", () => {
  const text = document.getElementById("expectation");
  if (text.hidden && text.value !== text.defaultValue) ask("show", true);
});

// A name for something new says nothing yet.
const isInCards = (control) => control.closest("#expected-cards") !== null && !control.name.startsWith("expect-new:");
