// The short tour of a sandbox: each step fills the form, and what has been seen is ticked off.
const SEEN = "yuliang.tour.seen";
const CLOSED = "yuliang.tour.closed";

const seen = () => new Set((localStorage.getItem(SEEN) ?? "").split(" ").filter(Boolean));

/** Remembers, by its word alone, an outcome that was met. */
export function met(outcome) {
  localStorage.setItem(SEEN, [...seen().add(outcome)].join(" "));
}

/** Wakes the tour of the page, if there is one; `fill` takes a person. */
export function tour(root, fill) {
  const panel = root.querySelector("[data-tour]");
  if (!panel) return;
  panel.open = localStorage.getItem(CLOSED) !== "yes";
  panel.addEventListener("toggle", () => localStorage.setItem(CLOSED, panel.open ? "no" : "yes"));
  const known = seen();
  for (const step of panel.querySelectorAll("[data-step]")) {
    step.querySelector("[data-seen]").hidden = !known.has(step.dataset.step);
    const button = step.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => fill({ name: button.dataset.name, number: button.dataset.number }));
  }
}
