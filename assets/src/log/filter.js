// The filter of the log acts at once: the list is fetched anew, while what is typed and what is open stay.

import { openId, withPreview } from "./preview.js";

const PAUSE_MS = 300; // in typing, after which the list is fetched

let waiting = null;

// The address of the list that the form asks for.
function asked(form) {
  const fields = [...new FormData(form)].filter(([, value]) => value.trim());
  const query = new URLSearchParams(fields).toString();
  return form.getAttribute("action") + (query ? `?${query}` : "");
}

export function startFilter(log) {
  const apply = (form, isMore = false) => {
    clearTimeout(waiting);
    const address = withPreview(asked(form), openId());
    if (address === location.pathname + location.search) return;
    log.show(address, { isTyped: true, isMore });
  };
  const formOf = (event) => event.target.closest("#log-filter");
  const { section } = log;

  section.addEventListener("input", (event) => {
    const form = formOf(event);
    if (!form || event.target.matches("select")) return;
    clearTimeout(waiting);
    // What is typed further is no new entry of the history.
    const isMore = new URLSearchParams(location.search).has(event.target.name);
    waiting = setTimeout(apply, PAUSE_MS, form, isMore);
  });
  section.addEventListener("change", (event) => {
    const form = formOf(event);
    if (!form || log.isMaking) return;
    event.target.classList.toggle("set", event.target.value !== "");
    apply(form);
  });
  section.addEventListener("submit", (event) => {
    const form = formOf(event);
    if (!form) return;
    event.preventDefault();
    apply(form);
  });
  // A link to another part of the log.
  section.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a[href]");
    if (!link || new URL(link.href).pathname !== "/deliveries" || link.closest("nav.segments")) return;
    event.preventDefault();
    log.show(withPreview(link.getAttribute("href"), openId()));
  });
}
