// Region names for six digits: webapp/persons/regions.py once more. The whole table is fetched once, so that no
// request ever carries a piece of a number.
const FIRST_CODED = 1984;

/** The table of `packed()` as a Map: six digits → [{name, until}], oldest first. */
export function unpacked(text) {
  const table = new Map();
  for (const line of text.split("\n")) {
    for (const [, rest, names] of line.slice(4).matchAll(/(\d\d)((?:[^\d|-]+(?:-\d{4})?\|?)+)/g)) {
      const parts = names.split("|").map((one) => one.split("-"));
      table.set(line.slice(0, 4) + rest, parts.map(([name, until]) => ({ name, until: until ? Number(until) : null })));
    }
  }
  return table;
}

/** {places, until} of six digits in the number of somebody born in that year; null where the table says nothing. */
export function find(table, code, birthYear) {
  const year = Math.max(birthYear, FIRST_CODED);
  const levels = [`${code.slice(0, 2)}0000`, `${code.slice(0, 4)}00`, code].map((key) => table.get(key));
  const named = (names) => (names.find((one) => one.until === null || one.until >= year) ?? names.at(-1)).name;
  const places = [...new Set(levels.filter(Boolean).map(named))];
  return places.length ? { places, until: levels[2]?.at(-1).until ?? null } : null;
}

/** Fetches the table when it is first wanted. Without it there is no hint, and nothing else is missing. */
export function lazily(url) {
  let table = null;
  return (code, birthYear) => {
    table ??= fetch(url)
      .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(answer.status))))
      .then((bytes) => unpacked(new TextDecoder("gb18030").decode(bytes)))
      .catch(() => ((table = null), new Map()));
    return table.then((known) => find(known, code, birthYear));
  };
}
