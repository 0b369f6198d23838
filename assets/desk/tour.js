// The short tour of a sandbox: the step to take now fills the form, and what has been seen is ticked off.
const SEEN = "yuliang.tour.seen";
const CLOSED = "yuliang.tour.closed";
const AT = "yuliang.tour.at";

const seen = () => new Set((localStorage.getItem(SEEN) ?? "").split(" ").filter(Boolean));

/** Remembers, by its word alone, an outcome that was met. */
export function met(outcome) {
  localStorage.setItem(SEEN, [...seen().add(outcome)].join(" "));
}

/** The tour of one page: its steps, of which one is to be taken now, or all are shown. */
class Tour {
  constructor(panel) {
    this.panel = panel;
    this.steps = [...panel.querySelectorAll("[data-step]")];
    this.whole = false;
    panel.open = localStorage.getItem(CLOSED) !== "yes";
    panel.addEventListener("toggle", () => { // also told of how it stood at first
      if (panel.open) localStorage.removeItem(CLOSED);
      else localStorage.setItem(CLOSED, "yes");
    });
    this.button("skip").addEventListener("click", () => this.go(this.ahead[1]));
    this.button("again").addEventListener("click", () => {
      localStorage.removeItem(SEEN);
      this.go(this.steps[0]);
    });
    this.button("all").addEventListener("click", () => {
      this.whole = !this.whole;
      this.draw();
    });
  }

  button(name) {
    return this.panel.querySelector(`[data-tour-${name}]`);
  }

  /** The steps not seen yet, from where one was, round to those left out before. */
  get ahead() {
    const known = seen();
    const at = this.steps.findIndex((step) => step.dataset.step === localStorage.getItem(AT));
    const round = [...this.steps.slice(Math.max(at, 0)), ...this.steps.slice(0, Math.max(at, 0))];
    return round.filter((step) => !known.has(step.dataset.step));
  }

  go(step) {
    localStorage.setItem(AT, step.dataset.step);
    this.draw();
    step.querySelector("button").focus();
  }

  draw() {
    const [current, next] = this.ahead;
    const known = seen();
    for (const step of this.steps) {
      step.querySelector("[data-seen]").hidden = !known.has(step.dataset.step);
      step.hidden = !this.whole && step !== current;
      if (step === current) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    }
    this.tell(current, next, this.steps.filter((step) => known.has(step.dataset.step)).length);
  }

  tell(current, next, count) {
    const [progress, onward] = [this.button("progress"), this.button("next")];
    const label = (step) => step.querySelector("[data-label]").textContent;
    progress.textContent = progress.dataset.text.replace("{seen}", count).replace("{all}", this.steps.length);
    progress.hidden = false;
    onward.textContent = current ? onward.dataset.text.replace("{step}", next ? label(next) : "") : onward.dataset.over;
    onward.hidden = Boolean(current) && !next;
    this.button("skip").hidden = !next;
    this.button("again").hidden = Boolean(current);
    this.button("all").hidden = false;
    this.button("all").setAttribute("aria-expanded", String(this.whole));
  }
}

/** Wakes the tour of the page, if there is one; `fill` takes a person. */
export function tour(root, fill) {
  const panel = root.querySelector("[data-tour]");
  if (!panel) return;
  const guide = new Tour(panel);
  for (const step of guide.steps) {
    const button = step.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => fill({ name: button.dataset.name, number: button.dataset.number }));
  }
  guide.draw();
}
