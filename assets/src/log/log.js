// The log and the page of a delivery by keyboard. A letter presses a button or link, once.

import { close, linkOf, mark, open, pane } from "./preview.js";

const rows = () => [...document.querySelectorAll("#log table.log > tbody > tr")];
const current = () => document.querySelector("#log table.log > tbody > tr[aria-current]");
const article = () => document.querySelector("article#delivery");

// --- The row that a key acts on: the one that has the focus, or had it last ---

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("#log table.log > tbody > tr");
  // Ticking others leaves the open delivery the one that keys act on.
  if (row && !(pane() && event.target.matches("input"))) mark(row);
});

function step(by) {
  if (article()) {
    const neighbour = document.querySelector(by > 0 ? "#recent #older" : "#recent #newer");
    return neighbour
      ? neighbour.click()
      : say(by > 0 ? "There is none before it." : "There is none after it.");
  }
  const all = rows();
  const now = all.indexOf(current());
  const next = all[now === -1 ? 0 : Math.min(Math.max(now + by, 0), all.length - 1)];
  if (!next) return;
  linkOf(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  if (pane()) open(next, { isStep: true });
}

function leave() {
  if (pane()) return close();
  const row = current();
  if (row?.contains(document.activeElement)) document.activeElement.blur();
  mark(null);
}

// --- The actions ---

function say(words) {
  const line = document.getElementById("key-message");
  line.textContent = words;
  clearTimeout(say.until);
  say.until = setTimeout(() => line.replaceChildren(), 5000);
}

// The sandbox's answer, or null where there is none or an error, which is then announced.
async function ask(path, options = {}) {
  const answer = await fetch(path, options).catch(() => null);
  if (!answer) say("The sandbox does not answer.");
  else if (!answer.ok && !options.method) say("The sandbox cannot show this delivery.");
  else return answer;
  return null;
}

const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

// The path of the delivery that a key acts on; none while it is in flight, as no action applies to it yet.
function landed() {
  const meant = article() ?? current();
  if (!meant || meant.hasAttribute("data-in-flight")) return null;
  return article() ? location.pathname : new URL(linkOf(meant).href).pathname;
}

const againIn = (scope) => scope.querySelector('#delivery form[action$="/again"]');
let isSending = false;

async function resend(path) {
  const here = article() !== null;
  const shown = here || (await ask(path));
  if (!shown) return;
  const form = againIn(here ? document : await parsed(shown));
  if (!form) return say("It is only to be looked at, and is not sent again.");
  const button = form.querySelector("button:not([formaction])");
  const yes = form.querySelector("input[name=confirmed]");
  if (here && yes && !yes.checked) {
    yes.focus();
    return say("This receiver is protected: say yes first, then r sends.");
  }
  if (here) return button.disabled ? say(button.title) : form.requestSubmit(button);
  if (yes || button.disabled) {
    // The delivery's own page asks for the confirmation, or says why it cannot be sent.
    location.assign(path);
    return;
  }
  const answer = await ask(new URL(form.getAttribute("action"), location), {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
  });
  if (!answer) return;
  if (answer.ok) return say("Sent again.");
  const refused = await parsed(answer);
  say(`Not sent. ${refused.querySelector("main [role=alert], main .why")?.textContent.trim() ?? ""}`);
}

async function copy(path) {
  if (!navigator.clipboard)
    return say("Nothing can be copied here: a browser allows it on localhost or by https only.");
  const shown = document.getElementById("curl");
  const answer = shown ? null : await ask(`${path}/export/curl`);
  if (!shown && !answer) return;
  await navigator.clipboard.writeText(shown ? shown.textContent : await answer.text());
  say("Copied as a curl command.");
}

function toDifference() {
  if (!article() && !pane()) return location.assign(`${linkOf(current()).href}#difference`);
  const heading = document.querySelector(".comparison h2");
  if (!heading) return say("Nothing was compared here.");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  (document.querySelector(".comparison [data-difference]") ?? heading).scrollIntoView({ block: "nearest" });
  heading.scrollIntoView({ block: "nearest" });
}

function search() {
  const field = document.getElementById("by-text");
  if (field) {
    field.focus();
    field.select();
  } else location.assign(`/deliveries${location.search}#by-text`);
}

const ofOne = {
  r: async (path) => {
    if (isSending) return;
    isSending = true;
    try {
      await resend(path);
    } finally {
      isSending = false;
    }
  },
  e: (path) => location.assign(`/?from=${encodeURIComponent(path.split("/").pop())}`),
  d: toDifference,
  c: copy,
};
const ofAny = {
  j: () => step(1),
  k: () => step(-1),
  "/": search,
};

document.addEventListener("keydown", (event) => {
  if (
    !(article() || document.getElementById("log")) ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    event.isComposing ||
    event.defaultPrevented
  )
    return;
  if (event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]"))
    return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return leave();
  if (event.key === "Enter") {
    if (event.target === document.body && current()) linkOf(current()).click();
    return;
  }
  if (Object.hasOwn(ofAny, event.key)) {
    event.preventDefault();
    ofAny[event.key]();
  } else if (Object.hasOwn(ofOne, event.key)) {
    event.preventDefault();
    // A key that is held down is pressed once.
    if (event.repeat) return;
    const path = landed();
    if (path) ofOne[event.key](path);
    else
      say(
        article() || current()
          ? "It is still in flight."
          : "Choose a delivery first: j and k go through them.",
      );
  }
});

// --- Following an address that one of these actions made ---

document.addEventListener("DOMContentLoaded", () => {
  if (location.hash === "#difference" && article()) toDifference();
  if (location.hash === "#by-text") search();
});
