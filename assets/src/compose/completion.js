// Keys and example values that the contract knows, offered where they fit.

import { placeAt } from "./place.js";

function wordsIn(template) {
  const words = new Map();
  for (const each of template.content.querySelectorAll("p")) {
    const at = words.get(each.dataset.at) ?? words.set(each.dataset.at, []).get(each.dataset.at);
    at.push({
      key: each.dataset.key,
      types: each.dataset.types,
      isRequired: "required" in each.dataset,
      description: each.querySelector("span").textContent,
      values: [...each.querySelectorAll("code")].map((code) => code.textContent),
    });
  }
  return words;
}

function info(word) {
  return () => {
    const box = document.createElement("div");
    box.append(word.description);
    if (word.values.length) {
      const example = document.createElement("code");
      example.textContent = `Example: ${word.values[0]}`;
      box.append(example);
    }
    return box;
  };
}

const EMPTY = { object: "{}", array: "[]", string: '""' };

// Replaces the whole word at the caret, with any quotes around it.
function insertKey(word) {
  return (view) => {
    const place = placeAt(view.state, view.state.selection.main.head);
    const { from, to } = place;
    const key = `"${word.key}"`;
    if (place.hasColon) {
      view.dispatch({
        changes: { from, to, insert: key },
        selection: { anchor: from + key.length },
        userEvent: "input.complete",
      });
      return;
    }
    const value = word.values[0] ?? EMPTY[word.types] ?? "";
    const comma = /^\s*"/.test(view.state.sliceDoc(to, to + 200)) ? "," : "";
    const start = from + key.length + 2;
    const selection = { anchor: start, head: start + value.length };
    view.dispatch({
      changes: { from, to, insert: `${key}: ${value}${comma}` },
      selection,
      userEvent: "input.complete",
    });
  };
}

function insertValue(value) {
  return (view) => {
    const { from, to } = placeAt(view.state, view.state.selection.main.head);
    view.dispatch({
      changes: { from, to, insert: value },
      selection: { anchor: from + value.length },
      userEvent: "input.complete",
    });
  };
}

function keysAt(place, known) {
  return known
    .filter((word) => word.key !== "*" && !place.keys.has(word.key))
    .map((word) => ({
      label: word.key,
      detail: word.types + (word.isRequired ? ", required" : ""),
      info: info(word),
      apply: insertKey(word),
      boost: word.isRequired ? 1 : 0,
    }));
}

function valuesAt(place, known) {
  const word = known.find((each) => each.key === place.key) ?? known.find((each) => each.key === "*");
  return (word?.values ?? []).map((value, number) => ({
    label: value.replace(/^"|"$/g, ""),
    displayLabel: value,
    detail: number ? "" : "example",
    info: info(word),
    apply: insertValue(value),
    boost: -number,
  }));
}

export function completing(template) {
  const words = wordsIn(template);
  return (context) => {
    const place = placeAt(context.state, context.pos);
    if (!place || (!context.explicit && place.from === context.pos)) return null;
    const known = words.get(place.at) ?? [];
    const options = place.role === "key" ? keysAt(place, known) : valuesAt(place, known);
    // The typed text is searched for in the words without quotes.
    const from =
      context.state.sliceDoc(place.from, place.from + 1) === '"' && place.from < context.pos
        ? place.from + 1
        : place.from;
    return options.length ? { from, options, validFor: /^[\w.+*/-]*$/ } : null;
  };
}
