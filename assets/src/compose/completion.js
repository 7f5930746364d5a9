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

function insertKey(word, place) {
  return (view, _, from, to) => {
    const key = `"${word.key}"`;
    if (place.hasColon) {
      view.dispatch({ changes: { from, to, insert: key }, selection: { anchor: from + key.length } });
      return;
    }
    const value = word.values[0] ?? EMPTY[word.types] ?? "";
    const comma = /^\s*"/.test(view.state.sliceDoc(to, to + 200)) ? "," : "";
    const start = from + key.length + 2;
    view.dispatch({ changes: { from, to, insert: `${key}: ${value}${comma}` }, selection: { anchor: start, head: start + value.length } });
  };
}

function insertValue(value) {
  return (view, _, from, to) => view.dispatch({ changes: { from, to, insert: value }, selection: { anchor: from + value.length } });
}

export function completing(template) {
  const words = wordsIn(template);
  return (context) => {
    const place = placeAt(context.state, context.pos);
    if (!place) return null;
    if (!context.explicit && place.from === context.pos) return null;
    const known = words.get(place.at) ?? [];
    const typed = context.state.sliceDoc(place.from, context.pos);
    const quote = typed.startsWith('"') || place.role === "value" ? '"' : "";
    let options;
    if (place.role === "key") {
      options = known
        .filter((word) => word.key !== "*" && !place.keys.has(word.key))
        .map((word) => ({ label: quote + word.key, displayLabel: word.key, detail: word.types + (word.isRequired ? ", required" : ""), info: info(word), apply: insertKey(word, place), boost: word.isRequired ? 1 : 0 }));
    } else {
      const word = known.find((each) => each.key === place.key);
      options = (word?.values ?? []).map((value, number) => ({ label: value, detail: number ? "" : "example", info: info(word), apply: insertValue(value), boost: -number }));
    }
    return options.length ? { from: place.from, to: place.to, options, validFor: /^"?[\w.+-]*"?$/ } : null;
  };
}
