// The palette opens by Ctrl+K, or Cmd+K on a Mac, on any page. The server finds what fits; arrows go through it.

const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);
const dialog = () => document.getElementById("palette");
const input = () => document.getElementById("palette-q");
const choices = () => [...dialog().querySelectorAll(".choice")];

function open() {
  if (dialog().open) return dialog().close();
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  dialog().showModal();
  input().select();
  input().dispatchEvent(new Event("opened"));
}

document.addEventListener(
  "keydown",
  (event) => {
    const held = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (event.key.toLowerCase() !== "k" || !held || event.altKey || event.shiftKey || !dialog()) return;
    // Before the editor, and before the browser's own search.
    event.preventDefault();
    event.stopPropagation();
    open();
  },
  true,
);

document.addEventListener("click", (event) => {
  if (event.target.closest(".palette-open") && !event.ctrlKey && !event.metaKey && dialog()) {
    event.preventDefault();
    open();
  }
  // A click beside the dialog is on the dialog itself, whose content covers it.
  if (event.target.matches("dialog[open]")) event.target.close();
});

document.addEventListener("keydown", (event) => {
  if (!dialog()?.open || event.isComposing) return;
  if (event.key === "Enter" && event.target === input()) {
    event.preventDefault();
    choices()[0]?.click();
  } else if (event.key.length === 1 && event.target !== input() && !event.ctrlKey && !event.metaKey) {
    // Typing goes on in the field; a space on a button presses it.
    if (event.key !== " ") input().focus();
  }
});
