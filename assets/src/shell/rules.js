// A value in a comparison opens the form that makes a rule of it, where it stands. Without this script its link
// leads to a page with the same form. The server makes the form, its preview and the rule.

import htmx from "htmx.org";

const LINKS = ".sides a.value, .sides a.item-action";
let opener = null;

function prepare() {
  // In place it is a button: it goes nowhere.
  for (const link of document.querySelectorAll(LINKS)) link.setAttribute("role", "button");
}

function close() {
  document.querySelector(".rule-place")?.remove();
  opener?.setAttribute("aria-expanded", "false");
}

async function open(link) {
  const isOpen = link === opener && document.querySelector(".rule-place");
  close();
  if (isOpen) return;
  opener = link;
  const place = document.createElement("div");
  place.className = "rule-place";
  link.closest(".compared, .item-with-action").after(place);
  link.setAttribute("aria-expanded", "true");
  await htmx.ajax("GET", link.href, { target: place, swap: "innerHTML" });
  // It stays closed where something else was opened meanwhile.
  (place.querySelector("[name=word]:checked") ?? place.querySelector("button"))?.focus({
    preventScroll: true,
  });
  place.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  if (event.target.closest(".rule-place [data-close-rule]")) {
    event.preventDefault();
    close();
    opener?.focus();
    return;
  }
  const link = event.target.closest(LINKS);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link);
});

document.addEventListener(
  "keydown",
  (event) => {
    if (event.key === "Enter" && event.target.matches?.(".rule-pane input")) {
      // Within another form, such as the workbench's, Enter would press that form's first button.
      event.preventDefault();
      event.target.closest(".rule-pane").querySelector("button[name=do][value$=rule]")?.click();
    } else if (event.key === " " && event.target.matches?.(LINKS)) {
      event.preventDefault();
      event.target.click();
    } else if (event.key === "Escape" && document.querySelector(".rule-place")) {
      event.preventDefault();
      event.stopPropagation();
      close();
      opener?.focus();
    }
  },
  true,
);

document.addEventListener("DOMContentLoaded", prepare);
document.addEventListener("htmx:afterSwap", prepare);
