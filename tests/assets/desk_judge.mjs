// Judges texts with the desk's scripts: JSON on standard input, verdicts on standard output (test_desk_vectors.py).
import { readFileSync, writeFileSync } from "node:fs";
import { maskName, maskNumber } from "../../assets/desk/masking.js";
import * as names from "../../assets/desk/names.js";
import * as numbers from "../../assets/desk/numbers.js";
import { find, unpacked } from "../../assets/desk/regions.js";
import { lines, readLine } from "../../assets/desk/scan.js";
import { tune } from "../../assets/desk/sounds.js";

const asked = JSON.parse(readFileSync(0, "utf8"));

function number(text) {
  const normal = numbers.normalise(text);
  const reading = numbers.read(normal);
  return {
    number: normal,
    masked: maskNumber(normal),
    fault: numbers.faults(normal, asked.today),
    warnings: numbers.warnings(normal),
    reading: reading && [reading.region, reading.birthDate, reading.sex, numbers.age(reading.birthDate, asked.today)],
  };
}

function name(text) {
  const normal = names.normalise(text);
  return { name: normal, fault: names.faults(normal), warnings: names.warnings(normal), masked: maskName(normal) };
}

const person = (found) => found && [found.name, found.number];

function paste(text) {
  const { taken, leftOver } = lines(text);
  return { lines: taken.map((line) => [line.place, line.text, person(line.person)]), left_over: leftOver };
}

const table = unpacked(asked.table);

function region(code, born) {
  const found = find(table, code, born);
  return found && [found.places, found.until];
}

writeFileSync(1, JSON.stringify({
  numbers: asked.numbers.map(number),
  fifteen: asked.fifteen.map(numbers.fromFifteen),
  ages: asked.ages.map(([born, today]) => numbers.age(born, today)),
  names: asked.names.map(name),
  lines: asked.lines.map((text) => person(readLine(text))),
  pastes: asked.pastes.map(paste),
  tunes: asked.outcomes.map((outcome) => [tune(outcome), tune("reused", outcome)]),
  regions: asked.regions.map(([code, born]) => region(code, born)),
}));
