// The links to the workbench and to the log lead back to what this tab showed there last: the case, the filter.
// Error pages have no such links.

const PLACES = [
  { key: "last-case", href: "/", mark: "compose", without: [] },
  { key: "last-filter", href: "/deliveries", mark: "log", without: ["show", "before", "selected"] },
];

const isShown = (place) => document.getElementById(place.mark) !== null;

function address({ without }) {
  const { pathname, searchParams } = new URL(location.href);
  for (const name of without) searchParams.delete(name);
  return pathname + (searchParams.size ? `?${searchParams}` : "");
}

addEventListener("pagehide", () => {
  for (const place of PLACES.filter(isShown)) sessionStorage.setItem(place.key, address(place));
});

addEventListener("pageshow", () => {
  for (const place of PLACES) {
    const link = document.querySelector(`.top nav a[href="${place.href}"]`);
    const last = sessionStorage.getItem(place.key);
    if (link && last && !isShown(place)) link.href = last;
  }
});
