// Keys that are struck at a bad moment: before the page stands, or once more than was meant.
const GUARDED = 700; // ms after a page has come in which Enter is the one that sent for it, held or struck twice
const LULL = 200; // ms without a key, by which what a card reader types is over

/** Enter and Tab end what is typed. */
export const goesOn = (event) => event.key === "Enter" || (event.key === "Tab" && !event.shiftKey);

/** Whether an input method has the key. */
export const composing = (event) => event.isComposing || event.keyCode === 229;

const isField = (element) => element.matches("input, select, textarea");

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Enter, held or struck twice, does nothing to what came of the form it sent: not in a field, nor, see there, in the box.
 * Any other key, or the pointer, ends this. */
export class Echo {
  constructor() {
    this.end();
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") this.end();
      else if (this.on && event.target.matches("form input")) stop(event);
    }, { capture: true });
    document.addEventListener("pointerdown", () => this.end(), { capture: true });
  }

  get on() {
    return performance.now() < this.until;
  }

  /** A form was sent. */
  begin() {
    this.until = Infinity;
  }

  /** What came of it stands. */
  fade() {
    this.until = performance.now() + GUARDED;
  }

  end() {
    this.until = 0;
  }
}

/** Calls `open` when the keys are still: what a reader began before the page stood has lost its beginning, and nothing
 * of it is taken. `told` hears of it. Whoever has gone into a field by then is left alone. */
export function whenStill(open, told) {
  let timer = 0;
  const stay = () => document.activeElement && isField(document.activeElement);
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(begin, LULL);
  };
  const begin = () => {
    document.removeEventListener("keydown", refuse, { capture: true });
    if (!stay()) open();
  };
  const refuse = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isField(event.target)) return;
    if (event.key.length === 1) told();
    if (event.key.length === 1 || goesOn(event)) stop(event);
    wait();
  };
  document.addEventListener("keydown", refuse, { capture: true });
  wait();
}
