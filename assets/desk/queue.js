// Pasted people, worked one by one. They live in this object and nowhere else: not in an address, not in the browser's
// storage. Whoever is done is forgotten: what came of it stays, with a masked name, until the list is cleared or left.
// Whoever was left out is masked too, and can still be called.
import { maskName } from "./masking.js";
import * as names from "./names.js";
import * as numbers from "./numbers.js";

const SHOWN = 24; // characters of a line that could not be read
const NO_DAY = "9999-12-31"; // a birth date to come is not this list's business

// Nobody was verified, and the person had no part in it: the line comes again.
const AGAIN = ["refused", "maintenance"];
// Who may come out of turn.
const AHEAD = ["waiting", "skipped"];
// Nobody can say yet: an admin is told, and the line is neither done nor to be sent again.
const OPEN = ["unknown", "unexpected"];

export class Queue {
  constructor() {
    this.clear();
  }

  /** Puts lines of scan.js behind those that wait. When none does, what is done goes. */
  add(lines) {
    if (!this.waiting) this.lines = this.lines.filter((line) => line.state === "skipped");
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
    if (line) this.call(line);
    return line;
  }

  /** A line comes to the desk, and the one there waits. */
  call(line) {
    if (this.current) this.current.state = "waiting";
    Object.assign(line, { state: "now", name: null });
  }

  /** The line of a person who has come: the one at the desk, or another that was to come or was left out, which is
   * then at the desk; null for who is not on the list. */
  meet(person) {
    if (this.current && isOf(this.current, person)) return this.current;
    const line = this.lines.find((one) => AHEAD.includes(one.state) && hasNumber(one, person.number)) ?? null;
    if (line) this.call(line);
    return line;
  }

  /** A person is sent: what comes of it is told to that person's line. */
  sends(person) {
    this.asked = this.meet(person);
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

  /** The line at the desk is left out, until it is called. */
  skip() {
    const { current } = this;
    if (current) Object.assign(current, { state: "skipped", name: maskName(nameOf(current)) });
  }

  /** The line whose result stands at an address; null when it is no line's. */
  at(place) {
    return this.lines.find((line) => line.place === place) ?? null;
  }

  /** A result is mended, or asked for once more: its line is at the desk again, and the one there waits. */
  reopen(line, person) {
    this.call(line);
    Object.assign(line, { outcome: "", said: "", person, mending: true });
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
  return ([...name].length > 1 && names.normalise(text).includes(name)) || holdsNumber(text, number);
}

function holdsNumber(text, number) {
  return number !== "" && text.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase().includes(number);
}

/** Whether a line says this number: out of turn, a name alone is nobody's. */
function hasNumber({ person, text }, number) {
  return person ? person.number === number && number !== "" : holdsNumber(text, number);
}

function forget(line, state) {
  Object.assign(line, { state, name: maskName(nameOf(line)), text: "", person: null });
}

/** What a line is called in the list. */
export function nameOf(line) {
  return line.name ?? line.person?.name ?? [...line.text].slice(0, SHOWN).join("");
}
