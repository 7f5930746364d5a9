// A delivery opens beside the list. Its id is in the address, so that back, forward and reload find it again.

import htmx from "htmx.org";

const NARROW = matchMedia("(max-width: 899px)"); // where a delivery opens as a page of its own

let asking = null; // aborts the fetch under way

export const pane = () => document.getElementById("preview");
export const openId = () => pane()?.dataset.delivery ?? "";
export const rowOf = (id) => document.getElementById(`row-${id}`);
export const linkOf = (row) => row.querySelector('.when > a[href^="/deliveries/"]');
const idOf = (row) => row.id.slice("row-".length);

// The address of a list with this delivery open, or with none.
export function withPreview(address, id) {
  const url = new URL(address, location);
  url.searchParams.delete("show");
  if (id) url.searchParams.set("show", id);
  return url.pathname + url.search;
}

// Marks the row that keys act on, which is that of the open delivery.
export function mark(row) {
  document.querySelector("#log table.log > tbody > tr[aria-current]")?.removeAttribute("aria-current");
  row?.setAttribute("aria-current", "true");
}

const title = () => document.getElementById("preview-title");

// Whether the reader is at something in the preview, which must not go then.
function isRead() {
  const focused = document.activeElement;
  return focused !== title() && pane().contains(focused);
}

function put(markup) {
  const options = { swapDelay: 0, settleDelay: 0 };
  if (pane()) htmx.swap(pane(), markup, { swapStyle: "outerHTML", ...options });
  else htmx.swap("#log", markup, { swapStyle: "afterend", ...options });
}

async function fetched(id) {
  asking?.abort();
  asking = new AbortController();
  const address = new URL(`/deliveries/${encodeURIComponent(id)}/preview`, location);
  address.search = location.search;
  for (const name of ["show", "before"]) address.searchParams.delete(name);
  try {
    const answer = await fetch(address, { signal: asking.signal });
    return { isShown: answer.ok, markup: answer.ok ? await answer.text() : "" };
  } catch (error) {
    return { isShown: false, markup: "", isAborted: error.name === "AbortError" };
  }
}

// Opens a delivery; `isStep` for the next one by a key, which does not take the focus and makes no new entry of
// the history.
export async function open(row, { isStep = false } = {}) {
  const id = idOf(row);
  mark(row);
  const address = withPreview(location.href, id);
  const found = await fetched(id);
  if (found.isAborted) return;
  // Its own page says what is wrong.
  if (!found.isShown) return location.assign(linkOf(row).href);
  const isNew = !pane();
  put(found.markup);
  if (isStep && !isNew) history.replaceState({ log: true }, "", address);
  else history.pushState({ log: true }, "", address);
  if (!isStep) title().focus({ preventScroll: true });
  rowOf(id)?.scrollIntoView({ block: "nearest" });
}

function drop() {
  asking?.abort();
  pane()?.remove();
}

export function close() {
  const row = rowOf(openId());
  drop();
  history.pushState({ log: true }, "", withPreview(location.href, ""));
  if (row) linkOf(row).focus({ preventScroll: true });
}

// Shows the delivery that the address names, without a change of the history.
async function follow() {
  const id = new URL(location.href).searchParams.get("show") ?? "";
  if (id === openId()) return;
  mark(id && rowOf(id));
  if (!id) return drop();
  const found = await fetched(id);
  if (found.isShown) put(found.markup);
  else if (!found.isAborted) drop();
}

// A row opens wherever it is clicked, except where something else is meant.
function clicked(event) {
  if (event.defaultPrevented || event.button) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (event.target.closest("#close-preview")) {
    event.preventDefault();
    return close();
  }
  const row = event.target.closest("#log table.log > tbody > tr");
  if (!row) return;
  const other = event.target.closest("a, button, input, label");
  if (other && other !== linkOf(row)) return;
  if (!other && !getSelection().isCollapsed) return;
  if (NARROW.matches) {
    if (!other) linkOf(row).click();
    return;
  }
  event.preventDefault();
  open(row);
}

export function startPreview(log) {
  document.addEventListener("click", clicked);
  addEventListener("popstate", () => {
    if (withPreview(location.href, "") === log.address) follow();
    else log.show(location.pathname + location.search, { isInHistory: true }).then(follow);
  });
  // What is in flight or judged anew is shown as it has become.
  log.onChanged = async (id) => {
    if (id !== openId() || isRead()) return;
    const found = await fetched(id);
    if (!found.isShown || id !== openId() || isRead()) return;
    const hadFocus = document.activeElement === title();
    put(found.markup);
    if (hadFocus) title().focus({ preventScroll: true });
  };
  if (!NARROW.matches) rowOf(openId())?.scrollIntoView({ block: "nearest" });
}
