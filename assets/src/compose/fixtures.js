// Scrolls the list of fixtures to the open one.

document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("fixture-list");
  const current = list?.querySelector("[aria-current]");
  if (!current) return;
  const top = current.getBoundingClientRect().top - list.getBoundingClientRect().top;
  if (top < 0 || top + current.offsetHeight > list.clientHeight)
    list.scrollTop += top - list.clientHeight / 2;
});
