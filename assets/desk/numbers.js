// What can be said about an ID number without asking anybody: webapp/persons/id_numbers.py once more, for the form
// to speak while one types. Pure; the server checks again. tests/assets/test_desk_vectors.py holds both to one truth.
const LENGTH = 18;
const SHOWN = 64;
const EARLIEST = "1800-01-01";
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS = "10X98765432";

// Spaces, dashes, and what has no width: the classes of the Python module, character for character.
const IGNORED = new RegExp(
  "[" +
    "\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\u2800" +
    "\\-\\xad\\u058a\\u05be\\u1400\\u1806\\u2010-\\u2015\\u2212\\u2e17\\u2e1a\\u2e3a\\u2e3b\\u2e40\\u2e5d\\u301c\\u3030\\u30a0" +
    "\\ufe31\\ufe32\\ufe58\\ufe63\\uff0d\\u{10ead}" +
    "\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164" +
    "\\ufe00-\\ufe0f\\ufeff\\uffa0\\u{e0000}-\\u{e0fff}" +
    "]+",
  "gu",
);

const cut = (text) => [...text].slice(0, SHOWN).join("");

/** The number as it is sent: no spaces, dashes or invisible marks, half-width, X upper-case. */
export function normalise(text) {
  const kept = cut(text.replace(IGNORED, "")).normalize("NFKC");
  return cut(kept.replace(IGNORED, "").normalize("NFC").replaceAll("x", "X"));
}

/** The first thing wrong with a normalised number on the day `today` (YYYY-MM-DD); null when a call may be spent. */
export function faults(number, today) {
  if (!number) return "empty";
  if (/^[0-9]{15}$/.test(number)) return faults(fromFifteen(number), today) ?? "fifteen";
  if ([...number].length !== LENGTH) return "length";
  if (!/^[0-9]{17}[0-9X]$/.test(number)) return "characters";
  const born = birthDate(number);
  if (born === null || born < EARLIEST) return "birth_date";
  if (born > today) return "future";
  return checkCharacter(number.slice(0, 17)) === number[17] ? null : "check_character";
}

/** What to ask about a normalised number of 18 characters, faulty or not; nothing for other lengths. */
export function warnings(number) {
  if (!/^[0-9]{17}[0-9X]$/.test(number)) return [];
  return [
    ["residence_permit", /^8[123]/.test(number)],
    ["foreigner", number.startsWith("9")],
    ["lost_digits", number.endsWith("000")],
  ].filter(([, present]) => present).map(([warning]) => warning);
}

/** {region, birthDate, sex} as the number says them; null unless it has 18 characters with a possible birth date. */
export function read(number) {
  const born = /^[0-9]{17}[0-9X]$/.test(number) ? birthDate(number) : null;
  return born && { region: number.slice(0, 6), birthDate: born, sex: number[16] % 2 ? "M" : "F" };
}

/** Completed years; both days as YYYY-MM-DD. */
export function age(born, today) {
  return today.slice(0, 4) - born.slice(0, 4) - (today.slice(5) < born.slice(5) ? 1 : 0);
}

/** The 18 characters for a first-generation number of 15 digits, for the operator to confirm. */
export function fromFifteen(number) {
  const first17 = `${number.slice(0, 6)}19${number.slice(6)}`;
  return first17 + checkCharacter(first17);
}

/** "110105 19491231 002X" for eyes that compare it with a card. */
export function grouped(number) {
  return [number.slice(0, 6), number.slice(6, 14), number.slice(14)].filter(Boolean).join(" ");
}

function checkCharacter(first17) {
  return CHECK_CHARACTERS[WEIGHTS.reduce((sum, weight, place) => sum + weight * first17[place], 0) % 11];
}

function birthDate(number) {
  const [year, month, day] = [number.slice(6, 10), number.slice(10, 12), number.slice(12, 14)].map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  if (year < 1 || day < 1 || day > days) return null;
  return `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
}
