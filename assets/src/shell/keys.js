// The list of keys, by ? on any page.

function toggle() {
  const dialog = document.getElementById("keys");
  if (dialog?.open) dialog.close();
  else dialog?.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || event.ctrlKey || event.metaKey || event.isComposing || event.defaultPrevented)
    return;
  if (event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]"))
    return;
  event.preventDefault();
  toggle();
});

document.addEventListener("click", (event) => {
  if (event.target.closest(".key-help")) toggle();
  if (event.target.closest("#keys [data-close]")) toggle();
});
