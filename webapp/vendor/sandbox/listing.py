"""People and situations as rows of words, for the page, the command and the documentation. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from webapp.vendor.sandbox.answers import Asked
from webapp.vendor.sandbox.meter_scenarios import TEXTS as METER_TEXTS
from webapp.vendor.sandbox.people import MANUAL_PEOPLE, PEOPLE
from webapp.vendor.sandbox.scenarios import SCENARIOS, Scenario, Section

Language = Literal["zh", "en"]

PEOPLE_HEADINGS: dict[Language, tuple[str, ...]] = {
    "zh": ("姓名", "身份证号码", "首次发证地（参考）", "说明"),
    "en": ("name", "number", "place", "what for"),
}
SCENARIO_HEADINGS: dict[Language, tuple[str, ...]] = {
    "zh": ("姓名", "发生什么", "返回", "核验结果", "是否计次", "可否自动重试", "服务商计次"),
    "en": ("name", "what happens", "answer", "outcome", "billed", "retry", "vendor charges"),
}
_CHINESE: dict[str, str] = {
    "match": "信息匹配",
    "mismatch": "信息不匹配",
    "no_such_number": "无此号码",
    "invalid_input": "未受理",
    "maintenance": "维护中",
    "refused": "被拒绝",
    "unknown": "未知",
    "unexpected": "返回异常",
    "yes": "是",
    "no": "否",
    "never": "不可",
    "once": "一次",
    "backoff": "退避重试",
}


def people_rows(language: Language) -> list[tuple[str, ...]]:
    """One row a person, the manual's own included; nothing that depends on the day."""
    return [
        (person.name, person.number, " ".join(person.place), person.zh if language == "zh" else person.en)
        for person in PEOPLE + MANUAL_PEOPLE
    ]


def scenario_rows(language: Language, section: Section | None = None) -> list[tuple[str, ...]]:
    """One row a situation, of one section or of all."""
    chosen = (scenario for scenario in SCENARIOS if section in (None, scenario.section))
    return [_scenario_row(scenario, language) for scenario in chosen]


def _scenario_row(scenario: Scenario, language: Language) -> tuple[str, ...]:
    outcomes = [scenario.outcome, *scenario.later]
    words = [scenario.billed, scenario.retry, "yes" if scenario.charged else "no"]
    if language == "zh":
        outcomes = [_CHINESE[word] for word in outcomes]
        words = [_CHINESE[word] for word in words]
    happens = scenario.zh if language == "zh" else scenario.en
    return (scenario.name, happens, said(scenario), " → ".join(outcomes), *words)


def said(scenario: Scenario) -> str:
    """Status and code of the answer as a short text; a dash where nothing is answered."""
    sample = Asked(scenario.name, "100101199003080023", date(2025, 1, 1))
    recipes = (scenario.first, scenario.answer)
    answers = [recipe(sample) for recipe in recipes if recipe]
    return (
        " → ".join(f"{answer.status} {answer.code}".removesuffix(f" HTTP {answer.status}") for answer in answers) or "–"
    )


METER_HEADINGS: dict[Language, tuple[str, ...]] = {
    "zh": ("meter_scenario", "发生什么"),
    "en": ("meter_scenario", "what happens"),
}


def meter_rows(language: Language) -> list[tuple[str, ...]]:
    """One row a way in which the counter misbehaves."""
    return [(name.value, texts[language == "en"]) for name, texts in METER_TEXTS.items()]


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table for the documentation."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Tab-separated lines for a terminal or a spreadsheet."""
    return "\n".join("\t".join(line) for line in (headings, *rows))
