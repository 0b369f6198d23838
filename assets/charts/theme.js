// Colours, patterns and furniture that all charts share.

/** The value of one of our colour tokens in the theme shown now. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const OUTCOMES = [
  "match", "mismatch", "no_such_number", "invalid_input", "maintenance", "refused", "unknown", "unexpected", "sending",
];
/** What is no outcome, but always the same, has a colour of its own. */
const OWN = {
  before: "--ink-3", others: "--ink-3", open: "--series-unknown", drift: "--series-mismatch", answered: "--series-match",
  p50: "--series-maintenance", p95: "--series-unexpected", cost: "--accent", left: "--accent", likely: "--accent",
  least: "--line-strong", most: "--line-strong", bought: "--good", ended: "--bad",
};

/** For what nobody knows beforehand: the calm ones first, none that says good or bad before the others are used. */
const NEXT = [
  "maintenance", "invalid_input", "no_such_number", "sending", "unexpected", "refused", "unknown", "match", "mismatch",
];

/** The colour of a line: its own, or the next one. */
export function colour(key, index) {
  const name = OUTCOMES.includes(key) ? key : NEXT[index % NEXT.length];
  return token(OWN[key] ?? `--series-${name.replaceAll("_", "-")}`);
}

// Patterns tell bars apart where colours do not; the first one stays plain.
const lines = (rotation) => ({ symbol: "rect", symbolSize: 1, dashArrayX: [1, 0], dashArrayY: [2, 4], rotation });
const dots = (symbol, symbolSize) => ({ symbol, symbolSize, dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [6, 0] });
const PATTERNS = [
  { color: "transparent" },
  lines(Math.PI / 4),
  dots("circle", 0.6),
  lines(0),
  lines(Math.PI / 2),
  dots("rect", 0.6),
  lines(-Math.PI / 4),
  dots("triangle", 0.8),
  dots("diamond", 0.8),
];

/** The pattern of a bar: an outcome's own, or the next one. */
export function pattern(key, index) {
  if (key === "open") return PATTERNS[6];
  const place = OUTCOMES.indexOf(key);
  return PATTERNS[(place < 0 ? index : place) % PATTERNS.length];
}

/** What every chart has: type, ground, and a tooltip that says what `describe` says. */
export function furniture(describe, trigger, patterns = true) {
  return {
    animation: false,
    textStyle: { fontFamily: token("--sans"), color: token("--ink-2") },
    aria: { enabled: true, label: { enabled: false }, decal: { show: patterns } },
    tooltip: {
      trigger,
      renderMode: "richText",
      confine: true,
      backgroundColor: token("--surface"),
      borderColor: token("--line-strong"),
      textStyle: { color: token("--ink"), fontFamily: token("--sans") },
      formatter: describe,
    },
  };
}

const pen = document.createElement("canvas").getContext("2d");
/** What a legend keeps free at either side; and what stands beside an entry's words: its sign, the gap, the next gap. */
const EDGE = 8;
const BESIDE = 42;

function measured(words) {
  pen.font = `12px ${token("--sans")}`;
  return pen.measureText(words).width;
}

/** The words of an entry in lines that a box of this width has room for: broken after a space, or where there is none.
 * At most two, for ECharts puts the middle of an entry where one line has it; tooltip and table have the whole. */
export function broken(label, width) {
  const room = width - 2 * EDGE - BESIDE;
  const lines = [""];
  for (const part of label.split(/(?<= )/)) {
    for (const piece of measured(part) > room ? part : [part]) {
      if (lines.at(-1) && measured(lines.at(-1) + piece) > room) lines.push("");
      lines.push(lines.pop() + piece);
    }
  }
  return lines.length > 2 ? [lines[0], `${lines[1].slice(0, -1)}…`] : lines;
}

/** How many rows a legend of these words takes in a box of this width. */
export function legendRows(labels, width) {
  let rows = 0;
  let taken = 0;
  let high = 0;
  for (const label of labels) {
    const lines = broken(label, width);
    const needed = Math.max(...lines.map(measured)) + BESIDE;
    if (taken && taken + needed > width - 2 * EDGE) {
      rows += high;
      taken = high = 0;
    }
    taken += needed;
    high = Math.max(high, lines.length);
  }
  return Math.max(1, rows + high);
}

/** A figure as people write it; what is less than its digits tell is not told as nothing. */
export function figure(value, { digits, unit }) {
  const least = 10 ** -digits;
  const little = value > 0 && value < least;
  const words = (little ? least : value).toLocaleString(document.documentElement.lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const told = unit === "¥" ? `¥${words}` : `${words} ${unit}`;
  return little ? `<${told}` : told;
}
