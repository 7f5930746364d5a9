// Why a request of the page was refused, as the server's page of the error says it; empty where nothing answered.

export function reasonOf(event) {
  const text = event.detail.xhr?.responseText;
  if (!text) return "";
  const page = new DOMParser().parseFromString(text, "text/html");
  const said = [...page.querySelectorAll("main h1 ~ p:not(:has(a))")].map((each) => each.textContent.trim());
  return said.filter(Boolean).join(" · ");
}
