// The box for a whole person. It stays while pages come and go, and keeps every key that is typed meanwhile.
import { composing, goesOn } from "./keys.js";

const END = "\t"; // between the parts of a person, and behind the last

export class Box {
  /** `take(text, enter)` is given what was ended by Enter or Tab; `goOn` hears of Enter in the empty box. */
  constructor(input, echo, take, goOn) {
    Object.assign(this, { input, echo, take, goOn });
    this.busy = false; // a form is on its way
    this.early = false; // what stands here was begun before the page stood: it waits for an Enter of its own
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("input", () => {
      this.early &&= Boolean(this.text);
    });
    // A keyboard on the screen would cover what is shown: it opens by a tap, not whenever the cursor comes back.
    input.addEventListener("pointerdown", () => {
      input.inputMode = "text";
    });
  }

  get text() {
    return this.input.value.trim();
  }

  clear() {
    this.input.value = "";
    this.early = false;
  }

  /** Shows a text to be mended. */
  show(text) {
    this.input.value = text;
    this.focus();
    this.input.select();
  }

  /** What was taken and has no place to go comes back, before what was typed since. */
  giveBack(text) {
    this.input.value = [text, this.input.value].filter(Boolean).join(END);
    this.focus();
  }

  focus() {
    if (document.activeElement !== this.input) this.input.inputMode = "none";
    this.input.focus({ preventScroll: true });
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  /** A form goes out: what is typed from now on stays here, so that nobody's result is passed over unseen. */
  hold() {
    this.busy = true;
    this.focus();
  }

  /** What came of the form stands. */
  release() {
    this.busy = false;
    this.early = Boolean(this.text);
  }

  key(event) {
    if (composing(event) || !goesOn(event)) return;
    const enter = event.key === "Enter";
    const { text } = this;
    if (text || enter) event.preventDefault();
    if (text && this.waits(enter)) this.end();
    else if (text) this.take(text, enter);
    else if (enter && !event.repeat && !this.busy && !this.echo.on) this.goOn();
  }

  /** Whether what stands here is not to be taken yet. */
  waits(enter) {
    const own = enter && this.input.value.endsWith(END) && !this.echo.on;
    return this.busy || (this.early && !own);
  }

  end() {
    if (!this.input.value.endsWith(END)) this.input.value += END;
  }
}
