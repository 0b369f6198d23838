// The page stays: what would be loaded is fetched, and takes the place of the content. A page of its own would lose the
// keys that are typed while it comes, and the list of people, which must not be stored anywhere to survive.

let composition = false; // an input method is at work: it would lose what it holds
document.addEventListener("compositionstart", () => {
  composition = true;
});
document.addEventListener("compositionend", () => {
  composition = false;
});

const composed = () =>
  composition && new Promise((resolve) => document.addEventListener("compositionend", resolve, { once: true }));

/** Fetches a page and shows its content; `bar` is carried over. What became of it: "shown", "lost" when nothing came
 * back, "locked" when the desk is, "passed" when the reader had gone back or forward by then from the very address that
 * was fetched. */
export async function show(bar, url, options = {}) {
  const here = url === location.href;
  const answer = await fetch(url, { cache: "no-store", ...options }).catch(() => null);
  const text = await answer?.text().catch(() => null);
  if (here && url !== location.href) return "passed";
  if (typeof text !== "string") return "lost";
  const page = new DOMParser().parseFromString(text, "text/html");
  if (page.querySelector("#main [data-login]") || isForeign(page)) return leave(answer.url);
  const ours = page.querySelector("#main [data-desk-bar]");
  if (!ours && answer.ok) location.assign(answer.url);
  else if (!page.getElementById("main")) return "lost";
  await composed();
  if (here && url !== location.href) return "passed";
  if (ours || !answer.ok) take(bar, page, answer.url, here);
  return "shown";
}

/** Whether a page is for another reader than this one: somebody logged in elsewhere in this browser. */
function isForeign(page) {
  const [theirs, ours] = [page, document].map((one) => one.querySelector("template[data-lock]")?.dataset.user);
  return theirs !== undefined && theirs !== ours;
}

/** Locked meanwhile: nothing was done, and lock.js covers the page, which stays. Or the session is over, or another's. */
function leave(url) {
  if (document.dispatchEvent(new CustomEvent("lock:ask", { cancelable: true }))) location.assign(url);
  return "locked";
}

/** `here`: in place of what stood at this address, which leads elsewhere now if `url` is another. */
function take(bar, page, url, here) {
  const main = document.getElementById("main");
  const fresh = page.getElementById("main");
  main.className = fresh.className;
  main.replaceChildren(...fresh.childNodes);
  const place = main.querySelector("[data-desk-bar]");
  if (place) place.replaceWith(bar);
  else main.append(bar); // a page that says what went wrong
  document.title = page.title;
  if (url !== location.href) history[here ? "replaceState" : "pushState"](null, "", url);
  for (const next of document.querySelectorAll(".bar [name=next]")) next.value = location.pathname;
  scrollTo(0, 0);
  document.dispatchEvent(new CustomEvent("desk:shown", { detail: main }));
}
