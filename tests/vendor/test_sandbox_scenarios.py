"""The table of situations: complete, consistent, and in the words of the product."""

from __future__ import annotations

import ast
import re
import sys
from datetime import date
from pathlib import Path

import pytest

from webapp.vendor.sandbox import settings
from webapp.vendor.sandbox.answers import Answer, Asked
from webapp.vendor.sandbox.scenarios import BY_NAME, SCENARIOS, SECTION_TITLES, Scenario, Section
from webapp.vendor.sandbox.settings import SandboxSettings, SettingsRefused

HAN = re.compile(r"[\u4e00-\u9fff]{2,50}")
ASKED = Asked("陈小满", "100101199003080023", date(2026, 3, 1))

GATEWAY_CODES = {
    400: ("A400AC", "I400MP", "I400HD", "I400CT"),
    401: ("A401AC",),
    403: ("I403AA", "A403EP", "B403MQ", "B403ME", "B403MI", "B403MO", "B403OD", "A403IP", "A403AC"),
    404: ("I404NF", "I404DO"),
    405: ("I405UM",),
    410: ("I410GG",),
    413: ("I413RL",),
    429: ("T429ID", "T429IN", "T429GR", "T429PA", "T429PR", "T429SR", "T429MR"),
    451: ("B451DO",),
    500: ("X500ER",),
    502: ("D502FC", "N502RE"),
    503: ("D503CB", "D503BB", "X503BZ"),
    504: ("D504CO", "D504CS", "D504TO", "D504RE", "X504TO"),
}
"""Every code the vendor's error table names."""
OLDER_MESSAGES = {
    400: ("Invalid AppCode", "Invalid Url", "Invalid Domain", "Invalid HttpMethod"),
    403: (
        *("Unauthorized", "Expiry of Authorization", "Quota Exhausted", "Quota Expired", "User Arrears"),
        *(f"Throttled by {by} Flow Control" for by in ("USER", "APP", "API", "DOMAIN", "GROUP")),
    ),
    500: ("Failed To Invoke Backend Service", "Internal Error"),
    503: ("Service Unavailable",),
    504: ("Async Service",),
}


def said(section: Section) -> dict[str, Answer]:
    """What is answered in a section, by what it is counted under."""
    chosen = [scenario for scenario in SCENARIOS if scenario.section is section]
    answers = [scenario.answer(ASKED) for scenario in chosen if scenario.answer]
    return {answer.code: answer for answer in answers}


def test_every_code_of_the_gateway_has_a_name_that_calls_it() -> None:
    found = said(Section.GATEWAY)
    for status, codes in GATEWAY_CODES.items():
        assert {code: found[code].status for code in codes} == dict.fromkeys(codes, status)


def test_every_message_of_the_older_gateway_has_a_name_that_calls_it() -> None:
    found = said(Section.OLDER)
    for status, messages in OLDER_MESSAGES.items():
        assert {text: found[text].status for text in messages} == dict.fromkeys(messages, status)


def test_every_code_of_the_manual_has_a_name_that_calls_it() -> None:
    assert list(said(Section.CODES)) == ["0000", "0001", "0002", "0003", "0004", "0007", "0008", "0010"]


def test_names_are_chinese_characters_only_and_each_calls_one_situation() -> None:
    assert all(HAN.fullmatch(scenario.name) for scenario in SCENARIOS)
    assert len(BY_NAME) == len(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_situation_is_told_in_both_languages_and_in_the_words_of_the_product(scenario: Scenario) -> None:
    assert HAN.search(scenario.zh) or scenario.zh.startswith(("AppCode", "500", "返回"))
    assert scenario.en
    assert not HAN.search(scenario.en)
    outcomes = {"match", "mismatch", "no_such_number", "invalid_input", "maintenance", "refused", "unknown"}
    assert {scenario.outcome, *scenario.later} <= outcomes | {"unexpected"}
    assert scenario.billed in ("yes", "no", "unknown")
    assert scenario.retry in ("never", "once", "backoff")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_vendors_books_and_the_readers_knowledge_never_contradict(scenario: Scenario) -> None:
    if scenario.billed != "unknown":
        assert scenario.charged is (scenario.billed == "yes")
    assert (scenario.outcome == "unknown") is (scenario.billed == "unknown")
    if scenario.answer and scenario.outcome != "unknown":
        assert scenario.answer(ASKED).charged is scenario.charged


def test_nothing_that_may_have_been_charged_may_be_asked_again() -> None:
    for scenario in SCENARIOS:
        failing = scenario.first or scenario.answer
        if scenario.retry != "never":
            assert failing
            assert not failing(ASKED).charged
            assert scenario.billed != "unknown"


def test_unknown_hides_charged_calls_and_free_ones() -> None:
    assert {scenario.charged for scenario in SCENARIOS if scenario.billed == "unknown"} == {True, False}


def test_sections_have_headings_in_the_order_of_the_table() -> None:
    order = list(dict.fromkeys(scenario.section for scenario in SCENARIOS))
    assert list(SECTION_TITLES) == order == list(Section)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"quota": -1}, "quota must be a whole number"),
        ({"quota": True}, "quota must be a whole number"),
        ({"quota": "5"}, "quota must be a whole number"),
        ({"latency_ms": None}, "latency_ms must be a whole number"),
        ({"slow_ms": 600_001}, "slow_ms must be a whole number from 0 to 600000"),
        ({"trickle_ms": 0.5}, "trickle_ms must be a whole number"),
        ({"scenario": "不是情形"}, "one of the documented names"),
        ({"scenario": []}, "one of the documented names"),
        ({"appcode": "two words"}, "printable ASCII"),
        ({"appcode": ""}, "printable ASCII"),
        ({"appcode": 5}, "printable ASCII"),
        ({"speed": 1}, "no such setting: speed; there are quota, appcode, scenario"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsRefused, match=complaint):
        SandboxSettings().changed(values)


def test_the_sandbox_needs_nothing_but_the_standard_library() -> None:
    """So that it and the client stay two readings of the vendor that do not know each other."""
    sources = list(Path(settings.__file__).parent.glob("*.py"))
    imported = {
        name
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    foreign = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert len(sources) > 10
    assert {name for name in foreign if not name.startswith("webapp.vendor.sandbox")} == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
