// What a name looks like: webapp/persons/names.py once more. Pure. A name is never normalised in the sense of Unicode.
const MOST = 100;
export const SEPARATOR = "\u00b7";
export const LOOK_ALIKES =
  "\\u00b7.\\uff0e\\ufe52\\u3002\\uff61\\u30fb\\uff65\\u318d\\u2022\\u25cf\\u2219\\u22c5\\u0387\\u2024\\u2027\\u2e31\\u2e33\\ua78f";
// Inside a character class: Han characters, 〇 and all of planes 2 and 3; and the private-use areas of older systems.
export const HAN = "\\u3007\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3fffd}";
export const PRIVATE = "\\ue000-\\uf8ff\\u{f0000}-\\u{10fffd}";
// What Python calls a space: not quite what JavaScript does.
export const SPACE = "\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const BLANK = " \\xa0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000";
const BETWEEN = new RegExp(`(?<=[${HAN}${PRIVATE}])[${BLANK}${LOOK_ALIKES}]+(?=[${HAN}${PRIVATE}])`, "gu");
const INVISIBLE = /[\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/gu;
const NOT_HAN = new RegExp(`[^${HAN}]`, "gu");
const PLACED = new RegExp(`(?<=[${HAN}${PRIVATE}])${SEPARATOR}(?=[${HAN}${PRIVATE}])`, "gu");
// Emoji and other pictures, U+FFFD, and %FF for a byte that was no text; radicals, strokes and what describes them pass.
const UNREADABLE = /(?![\u2e80-\u2fff\u303e\u31c0-\u31ef])\p{So}|[\u{1f000}-\u{1fbff}]|%[0-9A-Fa-f]{2}/u;
const OUTER = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "gu");
const ONLY_SPACE = new RegExp(`^[${SPACE}]*$`, "u");
const KINDS = [["digits", /\p{N}/u], ["letters", /\p{L}/u], ["punctuation", /[\p{P}\p{Z}]/u], ["symbols", /./su]];

/** A text without blanks around it, as Python's strip() leaves it. */
export const stripped = (text) => text.replace(OUTER, "");

/** The name as it is sent: trimmed, no invisible marks, `·` for every look-alike between Han characters. */
export function normalise(text) {
  return stripped(text.replace(INVISIBLE, "")).replace(BETWEEN, (found) => (ONLY_SPACE.test(found) ? "" : SEPARATOR));
}

/** The first thing wrong with a normalised name; null when a call may be spent. */
export function faults(name) {
  if (ONLY_SPACE.test(name)) return "empty";
  if ([...name].length > MOST) return "too_long";
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return "control";
  return UNREADABLE.test(name) ? "unreadable" : null;
}

/** What to ask about a normalised name, each at most once, in a fixed order. */
export function warnings(name) {
  const strange = name.replace(PLACED, "").match(NOT_HAN) ?? [];
  const present = new Set(strange.map((character) => KINDS.find(([, kind]) => kind.test(character))[0]));
  return KINDS.map(([warning]) => warning).filter((warning) => present.has(warning));
}
