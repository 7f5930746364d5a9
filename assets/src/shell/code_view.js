// A read-only view of a JSON text, which folds, highlights and searches, in place of a <pre>. Only the lines in
// sight are in the page, so that long texts stay fast. The text is shown as it is: nothing here parses it.

import { defaultKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, codeFolding, foldGutter, foldKeymap } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { theme } from "../compose/theme.js";

export function codeView(pre) {
  const view = new EditorView({
    state: EditorState.create({
      doc: pre.textContent,
      extensions: [
        EditorView.cspNonce.of(document.querySelector("meta[name=csp-nonce]").content),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({ "aria-label": pre.getAttribute("aria-label"), tabindex: "0" }),
        lineNumbers(),
        codeFolding({ placeholderText: "…" }),
        foldGutter({ openText: "▾", closedText: "▸" }),
        bracketMatching(),
        search({ top: true }),
        json(),
        theme,
        keymap.of([...searchKeymap, ...foldKeymap, ...defaultKeymap]),
      ],
    }),
  });
  pre.after(view.dom);
  pre.hidden = true;
  return view;
}
