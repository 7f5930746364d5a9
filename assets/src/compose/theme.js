// The editor's theme, made of the page's CSS tokens, which follow the light or dark theme.

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const marker = (colour, glyph) => ({
  content: "none",
  "&::before": { content: `"${glyph}"`, color: colour, fontSize: "11px", lineHeight: "20px" },
});

const looks = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--well)", fontSize: "12.5px" },
  "&.cm-focused": { outline: "none" },
  // Also above the gutters.
  "&:has(.cm-content:focus)::after": {
    content: '""',
    position: "absolute",
    inset: "0",
    border: "2px solid var(--accent)",
    pointerEvents: "none",
    zIndex: "250",
  },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", overflow: "auto" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 12px 0 4px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent-soft) 45%, transparent)" },
  ".cm-gutters": {
    backgroundColor: "var(--well)",
    color: "var(--muted)",
    borderRight: "1px solid var(--line)",
  },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 8px", minWidth: "32px" },
  ".cm-activeLineGutter": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-foldGutter .cm-gutterElement": { padding: "0 4px", cursor: "pointer" },
  ".cm-gutter-lint": { width: "16px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0 0 0 4px" },
  ".cm-lint-marker": { width: "10px", height: "20px" },
  ".cm-lint-marker-error": marker("var(--failed)", "✗"),
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--failed) 1px",
    textUnderlineOffset: "3px",
  },
  ".cm-lint-marker-info": marker("var(--advice)", "◆"),
  ".cm-lintRange-info": {
    backgroundImage: "none",
    textDecoration: "underline dotted var(--advice) 1px",
    textUnderlineOffset: "3px",
  },
  ".cm-lintPoint-error::after": { borderBottomColor: "var(--failed)" },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--accent-soft)",
    border: "1px solid var(--line-strong)",
    color: "var(--accent)",
    padding: "0 6px",
    margin: "0 2px",
  },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--accent-soft)",
    outline: "1px solid var(--accent)",
  },
  "&.cm-focused .cm-nonmatchingBracket": {
    backgroundColor: "var(--failed-soft)",
    outline: "1px solid var(--failed)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-soft)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)", outline: "1px solid var(--warn)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--accent-fill)", color: "#fff" },
  ".cm-searchMatch-selected span": { color: "#fff" },

  ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--ink)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": {
    padding: "6px 32px 6px 12px",
    fontFamily: "inherit",
    fontSize: "13px",
    display: "flex",
    flexWrap: "wrap",
    gap: "4px 6px",
    alignItems: "center",
  },
  ".cm-panel.cm-search :is(input, button, label)": { margin: "0" },
  ".cm-panel.cm-search input[type=checkbox]": { margin: "0 4px 0 0" },
  ".cm-panel.cm-search label": { fontSize: "12px", margin: "0", color: "var(--muted)" },
  ".cm-textfield": {
    width: "132px",
    height: "28px",
    padding: "0 8px",
    fontSize: "13px",
    backgroundColor: "var(--panel)",
    color: "var(--ink)",
    border: "1px solid var(--line-strong)",
    borderRadius: "3px",
  },
  ".cm-button": {
    height: "28px",
    padding: "0 8px",
    fontSize: "13px",
    backgroundImage: "none",
    backgroundColor: "var(--panel)",
    color: "var(--ink)",
    border: "1px solid var(--line-strong)",
    borderRadius: "3px",
    fontWeight: "400",
  },
  ".cm-button:hover": { borderColor: "var(--accent)", color: "var(--accent)" },
  ".cm-panel.cm-search [name=close]": {
    top: "6px",
    right: "8px",
    width: "24px",
    height: "24px",
    padding: "0",
    color: "var(--muted)",
    backgroundColor: "transparent",
    border: "0",
    fontSize: "16px",
  },
  ".cm-panel.cm-panel-lint ul": { fontFamily: "inherit", fontSize: "13px" },
  ".cm-panel.cm-panel-lint ul [aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--ink)",
  },
  ".cm-panel.cm-panel-lint button[name=close]": {
    width: "24px",
    height: "24px",
    padding: "0",
    color: "var(--muted)",
  },

  ".cm-tooltip": {
    backgroundColor: "var(--panel)",
    color: "var(--ink)",
    border: "1px solid var(--line-strong)",
    borderRadius: "3px",
    maxWidth: "min(420px, 90vw)",
  },
  ".cm-tooltip-lint": { padding: "0" },
  ".cm-diagnostic": {
    padding: "6px 10px",
    margin: "0",
    fontFamily: "var(--pico-font-family)",
    fontSize: "13px",
    whiteSpace: "normal",
  },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--failed)" },
  ".cm-diagnostic-info": { borderLeft: "3px solid var(--advice)" },
  ".cm-diagnostic code": { display: "block", color: "var(--muted)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--mono)",
    fontSize: "12.5px",
    maxHeight: "14em",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 10px", lineHeight: "20px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent-fill)",
    color: "#fff",
  },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "12px" },
  "li[aria-selected] .cm-completionDetail": { color: "#fff" },
  ".cm-tooltip.cm-completionInfo": {
    padding: "6px 10px",
    fontSize: "13px",
    fontFamily: "var(--pico-font-family)",
  },
  ".cm-completionInfo code": { display: "block", color: "var(--muted)", overflowWrap: "anywhere" },
});

const words = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--syntax-key)" },
  { tag: tags.string, color: "var(--syntax-string)" },
  { tag: tags.number, color: "var(--syntax-number)" },
  { tag: [tags.bool, tags.null], color: "var(--syntax-word)" },
  { tag: [tags.separator, tags.squareBracket, tags.brace], color: "var(--muted)" },
]);

export const theme = [looks, syntaxHighlighting(words)];
