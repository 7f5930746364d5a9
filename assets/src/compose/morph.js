// Makes an element equal to another by changing only what differs, so that focus and caret stay.

// `keep` says of a control whether its typed value stays.
export function morph(from, to, keep) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
  } else if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
  } else {
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
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && !left.has(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes)
    if (!left.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
}

function morphChildren(from, to, keep) {
  const before = [...from.childNodes];
  const after = [...to.childNodes];
  for (const node of before.slice(after.length)) node.remove();
  after.forEach((node, position) => {
    if (position < before.length) morph(before[position], node, keep);
    else from.append(node);
  });
}
