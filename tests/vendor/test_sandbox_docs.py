"""docs/sandbox.md says what the code does: every person, every situation, every option, in both languages."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pytest

from webapp.vendor.sandbox import control, meter
from webapp.vendor.sandbox.command import configure
from webapp.vendor.sandbox.front_door import REFUSED_APPCODES
from webapp.vendor.sandbox.listing import (
    METER_HEADINGS,
    PEOPLE_HEADINGS,
    SCENARIO_HEADINGS,
    Language,
    markdown,
    meter_rows,
    people_rows,
    scenario_rows,
)
from webapp.vendor.sandbox.people import UNKNOWN_NUMBERS
from webapp.vendor.sandbox.scenarios import SECTION_TITLES, Section
from webapp.vendor.sandbox.settings import SandboxSettings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
ENGLISH, _, CHINESE = DOCUMENT.partition("\n# 中文\n")
PART: dict[Language, str] = {"en": ENGLISH, "zh": CHINESE}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_everybody_is_documented(language: Language) -> None:
    table = markdown(PEOPLE_HEADINGS[language], people_rows(language))
    assert table in PART[language], f"put this table into docs/sandbox.md:\n{table}"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("section", Section)
def test_every_situation_is_documented(section: Section, language: Language) -> None:
    title = SECTION_TITLES[section][language == "en"]
    table = f"### {title}\n\n{markdown(SCENARIO_HEADINGS[language], scenario_rows(language, section))}\n"
    assert table in PART[language], f"put this table into docs/sandbox.md:\n{table}"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_misbehaviour_of_the_counter_is_documented_and_its_key(language: Language) -> None:
    table = markdown(METER_HEADINGS[language], meter_rows(language))
    assert table in PART[language], f"put this table into docs/sandbox.md:\n{table}"
    assert all(f"`{word}`" in PART[language] for word in meter.KEY)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_numbers_of_nobody_are_documented(language: Language) -> None:
    assert all(number in PART[language] for number in UNKNOWN_NUMBERS)


def test_every_option_setting_address_and_refused_appcode_is_documented() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    configure(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    settings = [field.name for field in dataclasses.fields(SandboxSettings)]
    addresses = [control.PREFIX + name for name in control.ADDRESSES]
    words = [f"`{word}" for word in [*options, *settings, *REFUSED_APPCODES]] + addresses
    assert len(words) > 15
    assert [word for word in words if word not in ENGLISH] == []
