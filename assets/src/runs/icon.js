// The tab's icon shows the verdict of the run that the page has come to.

document.addEventListener("htmx:afterSettle", () => {
  const { icon } = document.getElementById("run")?.dataset ?? {};
  const link = document.querySelector("link[rel=icon]");
  if (icon && link.getAttribute("href") !== icon) link.setAttribute("href", icon);
});
