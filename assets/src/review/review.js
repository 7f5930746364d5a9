// --- A review by keyboard: a letter presses the button that is labelled with it ---

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select")) return;
  const button = document.querySelector(
    `#decide [data-key="${CSS.escape(event.key.toLowerCase())}"]:not([disabled])`,
  );
  if (!button) return;
  event.preventDefault();
  button.click();
});

// --- Typing a pattern selects the matcher regex ---

document.addEventListener("input", (event) => {
  if (!event.target.matches("#decide #pattern")) return;
  document.querySelector("#decide input[name=rule][value=regex]").checked = true;
});
