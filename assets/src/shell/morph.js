// Makes an element equal to another by changing only what differs, so that focus and caret stay.

// What a script has put behind the text area of a `data-editor` stays, too.
// `keep` says of a control whether its typed value stays.
export function morph(from, to, keep) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
  } else if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
  } else {
    if (from.matches("[data-editor]")) {
      morphAttributes(from, to, false);
      morph(from.querySelector("textarea"), to.querySelector("textarea"), keep);
      return;
    }
    const isControl = from.matches("input, textarea, select");
    const stays = isControl && keep(from);
    morphAttributes(from, to, stays);
    if (!isControl || (from.nodeName === "SELECT" && !stays)) morphChildren(from, to, keep);
    if (!isControl || stays) return;
    // The default value of a text area is its content, not an attribute.
    if (from.nodeName === "TEXTAREA") from.defaultValue = to.defaultValue;
    if (from.value !== to.value) from.value = to.value;
  }
}

function morphAttributes(from, to, stays) {
  // How a value is read goes with the value; what is folded stays folded.
  const left = new Set(stays ? ["name", "value"] : from.nodeName === "DETAILS" ? ["open"] : []);
  // An editor is in the place of its text area.
  if (from.parentElement?.matches("[data-editor]")) left.add("hidden");
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && !left.has(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes)
    if (!left.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
}

const isEditor = (node) => node.nodeType === Node.ELEMENT_NODE && node.matches("[data-editor]");

// An editor stays where it is: what is before it becomes like what is before the other, and so does what is behind.
function morphChildren(from, to, keep) {
  const before = [...from.childNodes];
  const after = [...to.childNodes];
  const here = before.findIndex(isEditor);
  const there = after.findIndex(isEditor);
  if (here === -1 || there === -1) {
    morphNodes(from, before, after, null, keep);
    return;
  }
  morphNodes(from, before.slice(0, here), after.slice(0, there), before[here], keep);
  morph(before[here], after[there], keep);
  morphNodes(from, before.slice(here + 1), after.slice(there + 1), null, keep);
}

// `end` is the node before which new ones are put; null puts them last.
function morphNodes(parent, before, after, end, keep) {
  for (const node of before.slice(after.length)) node.remove();
  after.forEach((node, position) => {
    if (position < before.length) morph(before[position], node, keep);
    else parent.insertBefore(node, end);
  });
}
