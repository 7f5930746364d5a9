// An editor over a text area, which stays in the form and has the same text at every moment.

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

// What is typed over a selection. Left to itself, Chromium puts it there with a style attribute, which the
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

export class Editor {
  constructor(textarea, complete) {
    this.textarea = textarea;
    this.view = new EditorView({ state: this.#state(complete) });
    // Tab leaves the editor: it is never bound, and no one is caught in here.
    textarea.after(this.view.dom);
    this.view.dom.hidden = textarea.hidden;
    textarea.hidden = true;
    // Going back, a browser may fill the text area after this has begun.
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
          "aria-describedby": `${textarea.id}-keys ${textarea.getAttribute("aria-describedby")}`,
          autocapitalize: "off",
          // What is edited takes the focus without it; tools that look for what does only know this.
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
          // The text area tells the server, as it does without an editor.
          if (!update.transactions.some((each) => each.annotation(fromElsewhere)))
            textarea.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    });
  }

  get text() {
    return this.view.state.doc;
  }

  // Another text, which can be undone; what is alike at both ends stays, with the caret in it.
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
