// Where in a document a position is, by the syntax tree: whether a key or a value goes there, and at which pointer.

import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";

const PARSING_MS = 50;
const WORDS = new Set(["PropertyName", "String", "Number", "True", "False", "Null"]);
const MARKED = new Set([...WORDS, "Object", "Array"]);

const escaped = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");

// A key with an escape is kept as spelled, and so matches no key of a contract.
const keyOf = (state, property) => {
  const name = property.getChild("PropertyName");
  return name ? state.sliceDoc(name.from + 1, name.to - 1) : "";
};

function containerAround(node, position) {
  for (let at = node; at; at = at.parent) {
    if (
      (at.name === "Object" || at.name === "Array") &&
      at.from < position &&
      (position < at.to || !closed(at))
    )
      return at;
  }
  return null;
}

const closed = (container) => container.lastChild?.name === "}" || container.lastChild?.name === "]";

function patternOf(state, container) {
  const tokens = [];
  for (let at = container; at.parent; at = at.parent) {
    if (at.parent.name === "Property") tokens.unshift(escaped(keyOf(state, at.parent)));
    else if (at.parent.name === "Array") tokens.unshift("*");
  }
  return tokens.map((token) => `/${token}`).join("");
}

// { role: "key" | "value", at: the pattern of the container, key, from, to: of the word there, keys: those present }
export function placeAt(state, position) {
  const tree = ensureSyntaxTree(state, position, PARSING_MS) ?? syntaxTree(state);
  const node = tree.resolveInner(position, -1);
  const container = containerAround(node, position);
  if (!container) return null;
  const word = WORDS.has(node.name) && node.from < position ? node : null;
  const typed = word ?? {
    from: position - /[\w.+*/-]*$/.exec(state.sliceDoc(Math.max(0, position - 40), position))[0].length,
    to: position,
  };
  const place = {
    at: patternOf(state, container),
    from: typed.from,
    to: Math.max(typed.to, position),
    keys: new Set(),
    hasColon: false,
  };
  if (container.name === "Array") return { ...place, role: "value", key: "*" };
  let last = null;
  for (const property of container.getChildren("Property")) {
    if (property.from < typed.from) last = property;
    if (property.from !== typed.from) place.keys.add(keyOf(state, property));
  }
  const name = last?.getChild("PropertyName");
  if (name && /^\s*:\s*$/.test(state.sliceDoc(name.to, typed.from)))
    return { ...place, role: "value", key: keyOf(state, last) };
  return { ...place, role: "key", hasColon: /^\s*:/.test(state.sliceDoc(place.to, place.to + 40)) };
}

// The end of the mark for the value that begins here; of an object or array only the bracket is marked.
export function endOfValue(state, position) {
  let node = syntaxTree(state).resolveInner(position, 1);
  while (node.parent && node.from === position && !MARKED.has(node.name)) node = node.parent;
  if (node.from !== position || node.name === "JsonText") return position;
  return node.name === "Object" || node.name === "Array" ? position + 1 : node.to;
}
