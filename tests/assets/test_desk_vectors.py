"""The desk's scripts judge names, numbers and pasted lines as the server does: by the same vectors, and at random."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.persons.people import TODAY, VECTORS
from webapp.persons import id_numbers, masking, names, regions, scan
from webapp.vendor.contract import Outcome

ROOT = Path(__file__).parents[2]
TEXTS = 4_000
"""Made-up texts of each kind: some seconds of node altogether, of which most is its start."""

DIRT = [*" \t\n\x1c\x85\xa0\u3000\u2009-\u2010\u2013\u2212\xad\u200b\u200d\u200e\u202e\u2066\ufeff\u2800", "\r\n"]
DIGITS = [*"0123456789Xx０１２Ｘ①²٣.E+"]
LETTERS = [*"张三李四欧阳修〇·•．.。・男女汉族\u3400\uf900\ufa0c\ue863AbZñяアー1９",
           *"-'’（）()<>&\"/|,，;；:：=、\x00\u0301\ufe0f",
           "\u31c0", "\u2ff0", "\u303e", "\u2605", "\ufffd", "%C8", "%", "\U00020bb7", "\U0002cc56", "\U0001f600",
           "\U0001faea", "\ud800"]  # fmt: skip
SOUND = ["11010519491231002X", "440524188001010014", "110105 19491231 002x", "110105491231002",
         "932682198501010017", "110105194912310000", "009999195001010000",
         "１１０１０５１９４９１２３１００２Ｘ"]  # fmt: skip
LABELS = ["姓名", "姓 名：", "Name:", "身份证号码：", "公民身份号码", "证件号=", "性别", "民族",
          "住址", "电话", "id", "ID No.",
          "张三", "李四", "SMITH JOHN", "阿凡提·买买提", "张　三", "\t", "\n", "，", ",", " "]  # fmt: skip


def made_of(dice: random.Random, parts: Sequence[str], most: int) -> str:
    return "".join(dice.choices(parts, k=dice.randint(0, most)))


def dirty(dice: random.Random, number: str) -> str:
    """A sound number with something typed into it, or something of it gone."""
    characters = list(number)
    for _blot in range(dice.randint(0, 3)):
        characters.insert(dice.randrange(len(characters) + 1), dice.choice(DIRT + DIGITS))
    if dice.random() < 0.3:
        del characters[dice.randrange(len(characters))]
    return "".join(characters)


@cache
def texts() -> dict[str, list[str]]:
    """The vectors' texts first, then texts at random: the same ones in every run."""
    dice = random.Random(20260401)
    return {
        "numbers": [vector["text"] for vector in VECTORS["numbers"]]
        + [dirty(dice, dice.choice(SOUND)) for _text in range(TEXTS)]
        + [made_of(dice, DIRT + DIGITS + LETTERS, 80) for _text in range(TEXTS)],
        "names": [vector["text"] for vector in VECTORS["names"]]
        + [made_of(dice, LETTERS + DIRT, 12) for _text in range(TEXTS)]
        + ["张" * length for length in (99, 100, 101)],
        "lines": [vector["text"] for vector in VECTORS["lines"]]
        + [made_of(dice, LABELS + SOUND + LETTERS, 7) for _text in range(TEXTS)]
        + [made_of(dice, LABELS, 3) + dice.choice(SOUND) + made_of(dice, LABELS, 3) for _text in range(TEXTS)]
        + ["张三 11010519491231002X" + " " * length + "x" for length in (1_970, 1_980)],
        "pastes": [made_of(dice, LABELS + SOUND + ["\n", "\r\n", "\u2028"], 12) for _text in range(TEXTS)]
        + ["\n".join(["张三 11010519491231002X"] * count) for count in (1, 50, 51)]
        + ["姓名\n张三\n号码\n11010519491231002X"],
    }


@pytest.fixture(scope="session")
def said() -> dict[str, list[Any]]:
    """What the scripts say of all texts, in one run of node."""
    asked = texts() | {
        "today": TODAY.isoformat(),
        "fifteen": [vector["number"] for vector in VECTORS["fifteen"]],
        "ages": [[vector["born"], vector["today"]] for vector in VECTORS["ages"]],
        "table": gzip.decompress(regions.packed()).decode(regions.ENCODING),
        "regions": places_asked(),
        "outcomes": [*Outcome, "blocked"],
    }
    done = subprocess.run(
        ["sh", "assets/node.sh", "node", "tests/assets/desk_judge.mjs"],
        cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True, check=True,
    )  # fmt: skip
    verdicts: dict[str, list[Any]] = json.loads(done.stdout)
    return verdicts


def number_verdict(text: str) -> dict[str, Any]:
    number = id_numbers.normalise(text)
    try:
        told = id_numbers.read(number)
        reading = [told.region, told.birth_date.isoformat(), told.sex, id_numbers.age(told.birth_date, TODAY)]
    except ValueError:
        reading = None
    return {"number": number, "masked": masking.mask_number(number), "fault": id_numbers.faults(number, TODAY),
            "warnings": [*id_numbers.warnings(number)], "reading": reading}  # fmt: skip


def name_verdict(text: str) -> dict[str, Any]:
    name = names.normalise(text)
    return {"name": name, "fault": names.faults(name), "warnings": [*names.warnings(name)],
            "masked": masking.mask_name(name)}  # fmt: skip


def person(found: scan.Person | None) -> list[str] | None:
    return [found.name, found.number] if found else None


def paste_verdict(text: str) -> dict[str, Any]:
    pasted = scan.lines(text)
    lines = [[line.place, line.text, person(line.person)] for line in pasted.lines]
    return {"lines": lines, "left_over": pasted.left_over}


def places_asked() -> list[tuple[str, int]]:
    """Every code of the table and some beside it, for somebody born long ago, and in two years of many changes."""
    codes = [*regions.table(), *(vector["region"] for vector in VECTORS["numbers"] if "region" in vector), "110999"]
    return [(code, year) for code in codes for year in (1949, 1986, 2003)]


def region_verdict(code: str, born: int) -> list[Any] | None:
    region = regions.find(code, born)
    return [[*region.places], region.until] if region else None


def differences(kind: str, judge: Any, said: dict[str, list[Any]]) -> list[tuple[str, Any, Any]]:
    return [(ascii(text), verdict, here) for text, verdict in zip(texts()[kind], said[kind], strict=True)
            if verdict != (here := judge(text))][:5]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS["numbers"], ids=lambda vector: ascii(vector["text"]))
def test_a_published_number_gets_its_verdict_in_the_browser(vector: dict[str, Any], said: dict[str, list[Any]]) -> None:
    verdict = said["numbers"][VECTORS["numbers"].index(vector)]
    assert (verdict["number"], verdict["fault"]) == (vector["number"], vector["fault"])
    assert verdict["warnings"] == vector["warnings"]
    if "sex" in vector:
        assert verdict["reading"] == [vector[key] for key in ("region", "birth_date", "sex", "age")]


@pytest.mark.parametrize("vector", VECTORS["names"], ids=lambda vector: ascii(vector["text"]))
def test_a_name_gets_its_verdict_in_the_browser(vector: dict[str, Any], said: dict[str, list[Any]]) -> None:
    verdict = said["names"][VECTORS["names"].index(vector)]
    assert {key: verdict[key] for key in ("name", "fault", "warnings")} == {
        key: vector[key] for key in ("name", "fault", "warnings")
    }


@pytest.mark.parametrize("vector", VECTORS["lines"], ids=lambda vector: ascii(vector["text"]))
def test_a_line_is_read_in_the_browser(vector: dict[str, Any], said: dict[str, list[Any]]) -> None:
    found = said["lines"][VECTORS["lines"].index(vector)]
    assert found == (None if vector["name"] is None else [vector["name"], vector["number"]])


def test_first_generation_numbers_convert_and_ages_count_in_the_browser(said: dict[str, list[Any]]) -> None:
    assert said["fifteen"] == [vector["eighteen"] for vector in VECTORS["fifteen"]]
    assert said["ages"] == [vector["age"] for vector in VECTORS["ages"]]


@pytest.mark.parametrize(
    ("kind", "judge"),
    [("numbers", number_verdict), ("names", name_verdict), ("pastes", paste_verdict),
     ("lines", lambda text: person(scan.read_line(text)))],
    ids=["numbers", "names", "pastes", "lines"],
)  # fmt: skip
def test_texts_at_random_are_judged_alike_on_both_sides(kind: str, judge: Any, said: dict[str, list[Any]]) -> None:
    assert differences(kind, judge, said) == []


def test_every_region_is_found_alike_on_both_sides(said: dict[str, list[Any]]) -> None:
    assert said["regions"] == [region_verdict(*asked) for asked in places_asked()]


def test_each_conclusion_has_a_tune_of_its_own_and_a_recent_one_ends_in_it(said: dict[str, list[Any]]) -> None:
    tunes = dict(zip([*Outcome, "blocked"], said["tunes"], strict=True))
    own = [tunes[outcome][0] for outcome in (Outcome.MATCH, Outcome.MISMATCH, Outcome.NO_SUCH_NUMBER, "blocked")]
    others = [tune for outcome, (tune, _reused) in tunes.items() if tune not in own]
    assert all(own.count(tune) == 1 for tune in own)
    assert others == [tunes[Outcome.UNKNOWN][0]] * 6  # no conclusion: one tune, and none of those above
    for tune, reused in tunes.values():
        assert reused[-len(tune) :] == tune
        assert len(reused) > len(tune)


def test_the_random_texts_meet_every_verdict() -> None:
    """Else agreeing on them would say little."""
    numbers = [number_verdict(text) for text in texts()["numbers"]]
    assert {verdict["fault"] for verdict in numbers} == {None, *id_numbers.NumberFault}
    named = [name_verdict(text) for text in texts()["names"]]
    assert {verdict["fault"] for verdict in named} == {None, *names.NameFault}
    read = [scan.read_line(text) for text in texts()["lines"]]
    assert 500 < sum(found is not None for found in read) < len(read) - 500
