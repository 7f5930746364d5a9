// Keys that work anywhere on the page.

import { nextDiagnostic } from "@codemirror/lint";

export function listenForKeys(form, editor, views) {
  // Handled before the editor, which would insert a line at Ctrl+Enter.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.repeat)
        return;
      event.preventDefault();
      event.stopPropagation();
      form.querySelector("button.send").click();
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F8" || event.defaultPrevented) return;
    event.preventDefault();
    if (views.current === "form") views.focusNextProblem();
    else if (views.current === "raw") {
      editor.view.focus();
      nextDiagnostic(editor.view);
    }
  });
}
