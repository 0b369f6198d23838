// Pasted people, worked one by one. They live in this object and nowhere else: not in an address, not in the browser's
// storage. Whoever is done is forgotten, what came of it is kept until the list is cleared or the page is left.

export class Queue {
  constructor() {
    this.lines = [];
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

  /** The line to be worked now; null at the end of the list. */
  next() {
    const line = this.current ?? this.lines.find((one) => one.state === "waiting") ?? null;
    if (line) line.state = "now";
    return line;
  }

  /** The present one is done: `outcome` is the card's, `said` its title. Left out when there is none. */
  settle(outcome = "", said = "") {
    const line = this.current;
    if (!line) return;
    Object.assign(line, { state: outcome ? "done" : "skipped", outcome, said, name: nameOf(line), text: "", person: null });
  }

  clear() {
    this.lines = [];
  }
}

/** What a line is called in the list. */
export function nameOf(line) {
  return line.name ?? line.person?.name ?? [...line.text].slice(0, 24).join("");
}
