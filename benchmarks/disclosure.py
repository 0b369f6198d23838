"""What equal blind indexes give away to who holds the database and no key, in figures: a made list of people with the
surnames and given names of real life, and somebody who knows these frequencies exactly and nothing else.

`python -m benchmarks.disclosure FOLDER [--people N]`. The folder holds `familyname.csv`, `givenname.csv` and
`population.csv` of the public data set ChineseNames (github.com/psychbruce/ChineseNames, folder data-csv: 1,806
surnames and 2,614 characters of given names of 1.2 billion people, from the National Citizen Identity Information
Center, 2008), which are no part of this product. 6.3 % of names have two characters (Ministry of Public Security,
report on names of 2020), here all others three. Surname and given name are drawn apart, which parents do not quite do.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate
from pathlib import Path

from benchmarks.report import Report

TWO_CHARACTERS = 0.063
KNOWN_SURNAMES, KNOWN_CHARACTERS = 150, 600
"""Of the commonest: no other pair of a surname and a character is among the thousands that can be ranked."""
NO_PROVINCE = {"male", "female", "others"}
BINS = 40
"""Of expected counts, for each factor of e."""


@dataclass(frozen=True, slots=True)
class Names:
    """Shares of all people, the commonest first."""

    surnames: dict[str, float]
    characters: dict[str, float]

    def pairs(self) -> Iterator[tuple[str, str, float]]:
        """Each surname with each first character of a given name, and the share of people who begin so."""
        for surname, share in self.surnames.items():
            if len(surname) > 1:  # its own first two characters are the beginning
                yield surname, surname, share
            else:
                yield from ((surname, surname + one, share * of) for one, of in self.characters.items())


def read(folder: Path) -> Names:
    """The two files of the data set."""
    surnames = _shares(folder / "familyname.csv", "surname", ("n.1930_2008",))
    return Names(surnames, _shares(folder / "givenname.csv", "character", ("n.male", "n.female")))


def _shares(path: Path, word: str, counts: tuple[str, ...]) -> dict[str, float]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = {row[word]: sum(float(row[one] or 0) for one in counts) for row in csv.DictReader(file)}
    whole = sum(found.values())
    return dict(sorted(((one, count / whole) for one, count in found.items()), key=lambda item: -item[1]))


def people(names: Names, number: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Surname and whole name of so many made people."""
    chance = random.Random(seed)
    drawn = chance.choices([*names.surnames], cum_weights=[*accumulate(names.surnames.values())], k=number)
    weights, characters = [*accumulate(names.characters.values())], [*names.characters]
    given = iter(chance.choices(characters, cum_weights=weights, k=2 * number))
    for surname in drawn:
        first, second = next(given), next(given)
        yield surname, surname + first + ("" if chance.random() < TWO_CHARACTERS else second)


def by_rank(counts: Counter[str], expected: list[str], number: int) -> tuple[float, float]:
    """Who takes the n-th most frequent index for the n-th most frequent value: shares of people of whom the value is
    right, and of whom the surname at least is (in %)."""
    right = surname = 0
    for (value, count), guess in zip(counts.most_common(len(expected)), expected, strict=False):
        right += count * (value == guess)
        surname += count * (value[0] == guess[0])
    return right * 100 / number, surname * 100 / number


def surname_by_count(names: Names, number: int) -> float:
    """Who takes for each index the surname that is likeliest for its count: of how many people (in %) it is right."""
    expected: dict[int, Counter[str]] = defaultdict(Counter)
    for surname, _beginning, share in names.pairs():
        if share * number > math.exp(-6):
            expected[round(BINS * math.log(share * number))][surname] += 1
    right = 0.0
    for count in _looked_at(number):
        log_factorial, weights = math.lgamma(count + 1), defaultdict[str, float](float)
        for place, pairs in expected.items():
            rate = math.exp(place / BINS)
            if abs(rate - count) < 8 * math.sqrt(rate) + 8:
                chance = math.exp(count * place / BINS - rate - log_factorial)
                for surname, many in pairs.items():
                    weights[surname] += many * chance
        right += count * max(weights.values(), default=0) * _width(count)
    return right * 100 / number


def _looked_at(number: int) -> Iterator[int]:
    """Counts: each up to 100, then one of ever wider steps."""
    count = 1
    while count < number / 50:
        yield count
        count += _width(count)


def _width(count: int) -> int:
    return max(1, count // 50)


def run(folder: Path, number: int, report: Report) -> None:
    """Prints every figure."""
    names = read(folder)
    made = list(people(names, number))
    surnames, beginnings = Counter(one for one, _ in made), Counter(whole[:2] for _, whole in made)
    whole_names = Counter(whole for _, whole in made)
    few = Names(dict([*names.surnames.items()][:KNOWN_SURNAMES]), dict([*names.characters.items()][:KNOWN_CHARACTERS]))
    ranked = [one for _, one, _ in nlargest(5000, few.pairs(), key=lambda pair: pair[2])]
    full = nlargest(1000, ((surname + one, share * of * TWO_CHARACTERS) for surname, share in few.surnames.items()
                           for one, of in few.characters.items()), key=lambda pair: pair[1])  # fmt: skip
    report.title(f"{number:,} people; whoever guesses knows all frequencies, and which index is of which kind")
    share = 100 / number
    report.line("commonest surname: right of so many without any index", share * surnames.most_common(1)[0][1], " %")
    report.line("were surnames indexed: surname by rank", by_rank(surnames, [*names.surnames], number)[0], " %")
    report.line("distinct beginnings of two characters", len(beginnings))
    report.line("people of the commonest beginning", share * beginnings.most_common(1)[0][1], " %")
    right, surname = by_rank(beginnings, ranked, number)
    report.line("beginning by rank: right", right, " %")
    report.line("beginning by rank: surname right, at least", surname, " %")
    report.line("surname by the count of its beginning, at best", surname_by_count(names, number), " %")
    for most in (10, 100):
        hits = sum(one == guess for (one, _), guess in zip(beginnings.most_common(most), ranked, strict=False))
        report.line(f"of the {most} commonest beginnings, right by rank", hits)
    report.line("people of the commonest whole name", share * whole_names.most_common(1)[0][1], " %")
    report.line("whole name by rank: right", by_rank(whole_names, [one for one, _ in full], number)[0], " %")
    report.line("people whose whole name nobody else has", share * sum(n == 1 for n in whole_names.values()), " %")
    _provinces(folder, number, report)
    _last_four(number, report)


def _provinces(folder: Path, number: int, report: Report) -> None:
    shares = _shares(folder / "population.csv", "item", ("n",))
    known = {item: share for item, share in shares.items() if item.isalpha() and item not in NO_PROVINCE}
    drawn = Counter(random.Random(3).choices([*known], [*known.values()], k=number))
    hits = sum(count for (item, count), guess in zip(drawn.most_common(), known, strict=False) if item == guess)
    report.line("province by rank, of people from all over the country: right", 100 * hits / number, " %")
    whole = sum(known.values())
    bits = -sum(share / whole * math.log2(share / whole) for share in known.values())
    report.line("bits that a province says of a person, on average", bits)


def _last_four(number: int, report: Report) -> None:
    chance = random.Random(2)
    buckets = Counter(chance.choices(range(11_000), k=number))
    sizes = sorted(buckets.values())
    report.line("last four: values", 11_000)
    report.line("last four: people who share one, on average", number / 11_000)
    report.line("last four: people who share one, fewest", sizes[0] if len(buckets) == 11_000 else 0)
    report.line("last four: people who share one, most", sizes[-1])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.disclosure")
    parser.add_argument("folder", type=Path, help="with familyname.csv and givenname.csv of ChineseNames")
    parser.add_argument("--people", type=int, default=1_000_000)
    args = parser.parse_args()
    run(args.folder, args.people, Report())


if __name__ == "__main__":
    main()
