// The link to the workbench leads back to what this tab showed there last. Error pages have no such link.

const LAST = "last-case";

const isWorkbench = () => document.getElementById("compose") !== null;

addEventListener("pagehide", () => {
  if (isWorkbench()) sessionStorage.setItem(LAST, location.pathname + location.search);
});

addEventListener("pageshow", () => {
  const link = document.querySelector('.top nav a[href="/"]');
  const last = sessionStorage.getItem(LAST);
  if (link && last && !isWorkbench()) link.href = last;
});
