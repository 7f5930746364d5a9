// A menu is a details element. Escape, a click outside and a choice close it.

const openMenu = () => document.querySelector("details.menu[open]");

function close(menu) {
  const hadFocus = menu.contains(document.activeElement);
  menu.open = false;
  if (hadFocus) menu.querySelector("summary").focus();
}

document.addEventListener("keydown", (event) => {
  const menu = openMenu();
  if (event.key !== "Escape" || !menu || event.defaultPrevented) return;
  event.preventDefault();
  close(menu);
});

document.addEventListener("click", (event) => {
  const menu = openMenu();
  if (menu && (!menu.contains(event.target) || event.target.closest(".choice"))) close(menu);
});
