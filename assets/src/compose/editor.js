// An editor in place of a text area of JSON, which stays in the form and always has the same text.

import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import {
  bracketMatching,
  codeFolding,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
} from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState } from "@codemirror/state";
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { theme } from "./theme.js";

const fromElsewhere = Annotation.define();

// Handles typing over a selection. Chromium by itself would insert the text with a style attribute, which the
// Content-Security-Policy forbids.
function typeOver(event, view) {
  const { main } = view.state.selection;
  if (event.inputType !== "insertText" || event.data === null || main.empty || view.composing) return false;
  const insert = () =>
    view.state.update(view.state.replaceSelection(event.data), {
      userEvent: "input.type",
      scrollIntoView: true,
    });
  const isHandled = view.state
    .facet(EditorView.inputHandler)
    .some((handle) => handle(view, main.from, main.to, event.data, insert));
  if (!isHandled) view.dispatch(insert());
  event.preventDefault();
  return true;
}

// The ids of what describes a text area, and of its keys where the page says them.
function describing(textarea) {
  const keys = document.getElementById(`${textarea.id}-keys`);
  return [keys?.id, textarea.getAttribute("aria-describedby")].filter(Boolean).join(" ");
}

export class Editor {
  constructor(textarea, complete) {
    this.textarea = textarea;
    this.view = new EditorView({ state: this.#state(complete) });
    // Tab is not bound, so that it moves the focus out of the editor.
    textarea.after(this.view.dom);
    this.view.dom.hidden = textarea.hidden;
    if (document.activeElement === textarea) this.view.focus();
    textarea.hidden = true;
    // After Back a browser may fill the text area once the editor exists.
    addEventListener("pageshow", () => this.set(textarea.value));
  }

  #state(complete) {
    const { textarea } = this;
    return EditorState.create({
      doc: textarea.value,
      extensions: [
        EditorView.cspNonce.of(document.querySelector("meta[name=csp-nonce]").content),
        EditorView.contentAttributes.of({
          "aria-labelledby": textarea.getAttribute("aria-labelledby"),
          "aria-describedby": describing(textarea),
          autocapitalize: "off",
          // An editable element takes the focus without tabindex, but accessibility checkers look for it.
          tabindex: "0",
        }),
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        highlightSpecialChars(),
        history(),
        codeFolding({ placeholderText: "…" }),
        foldGutter({ openText: "▾", closedText: "▸" }),
        indentUnit.of("  "),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ override: [complete], icons: false, maxRenderedOptions: 60 }),
        search({ top: true }),
        highlightSelectionMatches(),
        lintGutter(),
        json(),
        EditorView.domEventHandlers({ beforeinput: typeOver }),
        theme,
        keymap.of([
          ...closeBracketsKeymap,
          ...lintKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
          ...completionKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          textarea.value = update.state.doc.toString();
          // The text area's event leads to the request to the server, as it does without an editor.
          if (!update.transactions.some((each) => each.annotation(fromElsewhere)))
            textarea.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    });
  }

  get text() {
    return this.view.state.doc;
  }

  // Replaces the text, which can be undone; equal parts at both ends stay, and so does a caret in them.
  set(text) {
    const before = this.view.state.doc.toString();
    if (before === text) return;
    const shorter = Math.min(before.length, text.length);
    let start = 0;
    while (start < shorter && before[start] === text[start]) start++;
    let end = 0;
    while (end < shorter - start && before[before.length - 1 - end] === text[text.length - 1 - end]) end++;
    this.view.dispatch({
      changes: { from: start, to: before.length - end, insert: text.slice(start, text.length - end) },
      annotations: fromElsewhere.of(true),
    });
  }

  show(isShown) {
    this.view.dom.hidden = !isShown;
    if (isShown) this.view.requestMeasure();
  }

  // The position of a line and column, both from 1; the server counts characters, an editor UTF-16 units.
  position(line, column) {
    const { doc } = this.view.state;
    const found = doc.line(Math.min(line, doc.lines));
    return found.from + [...found.text].slice(0, column - 1).join("").length;
  }

  goTo(position) {
    this.view.focus();
    this.view.dispatch({
      selection: { anchor: position },
      effects: EditorView.scrollIntoView(position, { y: "center" }),
    });
  }
}

export const editorOver = (textarea, complete) => new Editor(textarea, complete);
