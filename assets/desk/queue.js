// Pasted people, worked one by one. They live in this object and nowhere else: not in an address, not in the browser's
// storage. Whoever is done is forgotten: what came of it stays, with a masked name, until the list is cleared or left.
import { maskName } from "./masking.js";
import * as names from "./names.js";
import * as numbers from "./numbers.js";

const SHOWN = 24; // characters of a line that could not be read
const NO_DAY = "9999-12-31"; // a birth date to come is not this list's business

// Nobody was verified, and the person had no part in it: the line comes again.
const AGAIN = ["refused", "maintenance"];
// Nobody can say yet: an admin is told, and the line is neither done nor to be sent again.
const OPEN = ["unknown", "unexpected"];

export class Queue {
  constructor() {
    this.clear();
  }

  /** Puts lines of scan.js behind those that wait. */
  add(lines) {
    if (!this.waiting) this.lines = [];
    this.lines.push(...lines.map(({ text, person }) => ({ text, person, state: "waiting", outcome: "", said: "" })));
  }

  get waiting() {
    return this.lines.filter((line) => line.state === "waiting" || line.state === "now").length;
  }

  get current() {
    return this.lines.find((line) => line.state === "now") ?? null;
  }

  count(state) {
    return this.lines.filter((line) => line.state === state).length;
  }

  /** The line to be worked now, those that were tried in vain last; null at the end of the list. */
  next() {
    const waiting = this.lines.filter((line) => line.state === "waiting");
    const line = this.current ?? waiting.find((one) => !one.outcome) ?? waiting[0] ?? null;
    if (line) line.state = "now";
    return line;
  }

  /** A person is sent: what comes of it is told to the line at the desk, when it is that line's person. */
  sends(person) {
    this.asked = this.current && isOf(this.current, person) ? this.current : null;
    if (this.asked) this.asked.person = person;
  }

  /** What came of the person sent last: the card's outcome and title, and the address where it stands. */
  settle(outcome, said, place) {
    const line = this.asked;
    this.asked = null;
    if (!line) return;
    Object.assign(line, { outcome, said, place, mending: false });
    if (AGAIN.includes(outcome)) line.state = "waiting";
    else forget(line, OPEN.includes(outcome) ? "open" : "done");
  }

  /** The line at the desk is left out. */
  skip() {
    if (this.current) forget(this.current, "skipped");
  }

  /** The line whose result stands at an address; null when it is no line's. */
  at(place) {
    return this.lines.find((line) => line.place === place) ?? null;
  }

  /** A result is mended, or asked for once more: its line is at the desk again, and the one there waits. */
  reopen(line, person) {
    if (this.current) this.current.state = "waiting";
    Object.assign(line, { state: "now", outcome: "", said: "", name: null, person, mending: true });
  }

  clear() {
    this.lines = [];
    this.asked = null;
  }
}

/** Whether a person is the one of a line: the same, or the line's own mended. A namesake is somebody else. */
export function isOf({ person, text, mending }, { name, number }) {
  if (!person) return holds(text, name, number);
  if (number === person.number) return true;
  return name === person.name && (mending || numbers.faults(person.number, NO_DAY) !== null);
}

function holds(text, name, number) {
  const digits = text.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();
  return ([...name].length > 1 && names.normalise(text).includes(name)) || (number !== "" && digits.includes(number));
}

function forget(line, state) {
  Object.assign(line, { state, name: maskName(nameOf(line)), text: "", person: null });
}

/** What a line is called in the list. */
export function nameOf(line) {
  return line.name ?? line.person?.name ?? [...line.text].slice(0, SHOWN).join("");
}
