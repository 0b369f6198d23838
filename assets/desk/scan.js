// One line from a card reader, a spreadsheet or a message: who is it? webapp/persons/scan.py once more. Pure.
// Nothing is guessed: a text that could name two people is not read.
import * as names from "./names.js";
import * as numbers from "./numbers.js";

const LONGEST = 2000;
const S = `[${names.SPACE}]`;
const PLAIN = { " ": "\u3000\xa0", "-": "\u2010\u2011\u2012\u2013\u2014\u2212", ";": "\u3001" };
const SHADOW = new Map(Object.entries(PLAIN).flatMap(([plain, many]) => [...many].map((one) => [one, plain])));
const INVISIBLE = /[\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/gu;

// Most telling shape first. Between the digits of a grouped number stands one blank or hyphen at most.
const NUMBERS = ["[0-9]{17}[0-9Xx]", "(?:[0-9][ \\-]?){17}[0-9Xx]", "[0-9]{15}", "[0-9]{14,20}[Xx]?"].map(
  (shape) => new RegExp(`(?<![0-9A-Za-z])${shape}(?![0-9A-Za-z])`, "gu"),
);
const NAME_LABEL = `(?:姓${S}*名|名字|(?<![A-Za-z])[Nn][Aa][Mm][Ee](?![A-Za-z]))`;
const OTHER_LABEL =
  `(?:(?:公民|居民)?身份(?:证件?)?(?:号码?)?|证件号码?|号码|性${S}*别|民${S}*族|出生(?:日期|年月)?|住${S}*址|地址` +
  "|电话|手机号?码?|(?<![A-Za-z])(?:[Ii][Dd](?:[Nn][Oo]|[Cc][Aa][Rr][Dd])?|[Nn][Oo])(?![A-Za-z]))";
const LABELLED_NAME = new RegExp(
  `${NAME_LABEL}${S}*[:=]?${S}*(?<name>[^\\t\\r\\n,;:|/]*?)(?=$|[\\t\\r\\n,;:|/]|${NAME_LABEL}|${OTHER_LABEL})`,
  "dgu",
);
const ENDS = new RegExp(`[\\t\\r\\n,;:|/"'()=\\[\\]<>]+|${NAME_LABEL}|${OTHER_LABEL}`, "gu");
const CHARACTER = `[${names.HAN}${names.PRIVATE}]`;
const NAME = new RegExp(`^${CHARACTER}+(?:${names.SEPARATOR}${CHARACTER}+)*$`, "u");
const LATIN_NAME = /^[A-Za-z][A-Za-z .'-]*[A-Za-z]$/;
const DOTS = new RegExp(` *[${names.LOOK_ALIKES}] *`, "gu");
const OUTER_DOTS = new RegExp(`^[ ${names.SEPARATOR}]+|[ ${names.SEPARATOR}]+$`, "gu");
const WORDS = new RegExp(`${S}+`, "u");
const BREAKS = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/u;

/** {name, number} of the one person a text names, or null when that is not beyond doubt. Both may be faulty. */
export function readLine(text) {
  const clean = names.stripped(text.replace(INVISIBLE, ""));
  if ([...clean].length > LONGEST) return null;
  const shadow = shadowOf(clean);
  const found = numberIn(shadow);
  if (!found) return null;
  const [start, end] = found;
  const number = numbers.normalise(shadow.slice(start, end));
  // A line break stands for the number, so that what was before and behind it never grows together.
  const without = (whole) => `${whole.slice(0, start)}\n${whole.slice(end)}`;
  const [rest, plain] = [without(clean), without(shadow)];
  const name = labelled(rest, plain) || only(cells(rest, plain), number.startsWith("9"));
  return name ? { name: names.normalise(name), number } : null;
}

/** Pasted lines that hold something, up to `most`: [{place, text, person}], and how many more there were. */
export function lines(text, most = 50) {
  const every = text.split(BREAKS).map((line, at) => ({ place: at + 1, text: names.stripped(line) }));
  const filled = every.filter((line) => line.text);
  const taken = filled.slice(0, most).map((line) => ({ ...line, person: readLine(line.text) }));
  if (filled.length > 1 && filled.length <= most && !taken.some((line) => line.person)) {
    const person = readLine(text); // one person spread over several lines
    if (person) return { taken: [{ place: taken[0].place, text: names.stripped(text), person }], leftOver: 0 };
  }
  return { taken, leftOver: Math.max(0, filled.length - most) };
}

/** Full-width ASCII, blanks and dashes as plain ones, character for character: places in it are places in the text. */
function shadowOf(text) {
  const plain = text.replace(/[\uff01-\uff5e]/gu, (one) => String.fromCharCode(one.charCodeAt(0) - 0xfee0));
  return plain.replace(/[\u3000\xa0\u2010-\u2014\u2212\u3001]/gu, (one) => SHADOW.get(one) ?? one);
}

function numberIn(shadow) {
  for (const shape of NUMBERS) {
    const found = new Map();
    for (const match of shadow.matchAll(shape)) {
      found.set(numbers.normalise(match[0]), [match.index, match.index + match[0].length]);
    }
    if (found.size) return found.size === 1 ? [...found.values()][0] : null;
  }
  return null;
}

function labelled(text, shadow) {
  const spans = [...shadow.matchAll(LABELLED_NAME)].map((match) => match.indices.groups.name);
  return only(spans.filter(([start, end]) => end > start).map(([start, end]) => text.slice(start, end)), true);
}

function cells(text, shadow) {
  const ends = [...shadow.matchAll(ENDS)];
  const starts = [0, ...ends.map((end) => end.index + end[0].length)];
  const stops = [...ends.map((end) => end.index), text.length];
  return starts.map((start, at) => text.slice(start, stops[at]));
}

/** The one name in the cells; null when there is none or more than one. */
function only(parts, latin) {
  let found = new Set(parts.flatMap(namesIn));
  if (!found.size && latin) found = new Set(parts.map(names.stripped).filter((part) => LATIN_NAME.test(part)));
  return found.size === 1 ? [...found][0] : null;
}

/** What may be names in one cell: its words of Han characters, "张 三" set wide as one; sex and ethnic group left out. */
function namesIn(cell) {
  const words = cell.replace(DOTS, names.SEPARATOR).replace(OUTER_DOTS, "").split(WORDS).filter(Boolean);
  const han = words.filter((word) => NAME.test(word));
  if (han.length === words.length && setWide(han)) return [han.join("")];
  const size = (word) => [...word].length;
  return han.filter((word) => size(word) > 1 && !(word.endsWith("族") && size(word) <= 4));
}

/** "张 三" and "欧阳 修" are one name each, "张三 李四" and "张三 男 汉" are not. */
function setWide(words) {
  const sizes = words.map((word) => [...word].length);
  const row = words.length ? sizes[0] > 1 && words.some((word) => word === "男" || word === "女") : true;
  return !row && sizes.reduce((sum, size) => sum + size, 0) <= 4 && sizes.includes(1) && words.length > 1;
}
