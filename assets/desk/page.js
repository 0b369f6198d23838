// While a list of people waits, the page stays: what would be loaded is fetched, and takes the place of the content.
// The list would not survive a page of its own, and it must not be stored anywhere to survive.

/** Fetches a page and shows its content; `bar` is carried over. False when nothing came back. */
export async function show(bar, url, options = {}) {
  const answer = await fetch(url, { cache: "no-store", ...options }).catch(() => null);
  const text = await answer?.text().catch(() => null);
  if (typeof text !== "string") return false;
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.querySelector("#main [data-desk-bar]");
  if (fresh) take(bar, page, answer.url);
  else if (page.querySelector("[data-login]")) leave(answer.url);
  else if (answer.redirected || !options.method) location.assign(answer.url);
  else return false;
  return true;
}

/** The log-in came: locked meanwhile, nothing was done, and lock.js covers the page, which stays with its list; or over. */
function leave(url) {
  document.dispatchEvent(new CustomEvent("desk:lost"));
  if (document.dispatchEvent(new CustomEvent("lock:ask", { cancelable: true }))) location.assign(url);
}

function take(bar, page, url) {
  const main = document.getElementById("main");
  main.replaceChildren(...page.getElementById("main").childNodes);
  main.querySelector("[data-desk-bar]").replaceWith(bar);
  document.title = page.title;
  if (url !== location.href) history.pushState(null, "", url);
  scrollTo(0, 0);
  document.dispatchEvent(new CustomEvent("desk:shown", { detail: main }));
}
