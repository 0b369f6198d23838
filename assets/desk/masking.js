// Names and numbers as they may be shown when nobody needs them in full: webapp/persons/masking.py once more. Pure.
import { SEPARATOR } from "./names.js";

/** "张*", "阿**·***": the first character and the places of `·`; of a single character nothing. */
export function maskName(name) {
  const characters = [...name];
  const stars = characters.map((one) => (one === SEPARATOR ? one : "*"));
  return (characters.length < 2 ? stars : [characters[0], ...stars.slice(1)]).join("");
}

/** First and last character; of anything shorter than 15 characters nothing. */
export function maskNumber(number) {
  const characters = [...number];
  if (characters.length < 15) return "*".repeat(characters.length);
  return `${characters[0]}${"*".repeat(characters.length - 2)}${characters.at(-1)}`;
}
