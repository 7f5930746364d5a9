// Keys that work wherever on the page the focus is.

import { nextDiagnostic } from "@codemirror/lint";

export function listenForKeys(form, editor, views) {
  // Before the editor, to which Ctrl+Enter means a new line.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.repeat)
        return;
      event.preventDefault();
      event.stopPropagation();
      form.requestSubmit(form.querySelector("button.send"));
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
