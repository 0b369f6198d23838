// A result is read in full for ten minutes, also on a page that stays open: then the person is taken off it here, as
// the server would by then.
import { maskName, maskNumber } from "./masking.js";

const MASKS = { name: maskName, number: (text) => maskNumber(text.replaceAll(" ", "")) };

let shown = null;
let until = 0;
let timer = 0;

/** Watches over the page in `main`, in place of the one before. */
export function watchOver(main) {
  clearTimeout(timer);
  shown = main.querySelector("[data-readable-left]");
  if (!shown) return;
  const left = shown.dataset.readableLeft * 1000;
  until = Date.now() + left;
  timer = setTimeout(mask, left);
}

function mask() {
  if (!shown) return;
  for (const place of shown.querySelectorAll("[data-personal]")) {
    const masked = MASKS[place.dataset.personal];
    if (masked) place.textContent = masked(place.textContent.trim());
    else place.remove();
  }
  const note = shown.querySelector("[data-masked]");
  if (note) note.textContent = note.dataset.masked;
  shown = null;
}

// A machine that slept wakes with its timers late.
const look = () => Date.now() >= until && mask();
document.addEventListener("visibilitychange", look);
window.addEventListener("focus", look);
window.addEventListener("pageshow", look);
