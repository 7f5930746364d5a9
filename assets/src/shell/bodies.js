// Bodies of requests and answers as views that fold, highlight and search, made when they come near the window.

import { codeView } from "./code_view.js";

document.documentElement.classList.add("with-code-views");

const coming = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      coming.unobserve(target);
      if (!target.hidden) codeView(target);
    }
  },
  { rootMargin: "400px" },
);

function watch() {
  for (const pre of document.querySelectorAll("pre[data-code]:not([hidden])")) coming.observe(pre);
}

watch();
document.addEventListener("htmx:afterSwap", watch);
