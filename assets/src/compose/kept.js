// Restores what was typed when the reader comes back, also where the browser did not keep the page.

const FIELDS = ["payload", "expectation", "variables", "save_as"];

export function keepTyped(form) {
  const kept = history.state?.typed;
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  if (kept && type === "back_forward") {
    for (const name of FIELDS) {
      const field = form.elements[name];
      if (!field || kept[name] === undefined || field.value === kept[name]) continue;
      field.value = kept[name];
      // Other scripts, which listen once all is loaded, and the server take the text as typed.
      addEventListener("load", () => field.dispatchEvent(new Event("input", { bubbles: true })));
    }
    if (kept.off_contract !== undefined) form.elements.off_contract.checked = kept.off_contract;
  }
  addEventListener("pagehide", () => {
    const typed = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name]?.value]));
    typed.off_contract = form.elements.off_contract?.checked;
    history.replaceState({ ...history.state, typed }, "");
  });
}
