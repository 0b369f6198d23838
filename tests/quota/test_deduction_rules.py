"""What an answer costs: the vendor's table by default, an admin's dated rules before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cast import NOW
from webapp.quota.deduction_rules import DEFAULTS, OTHER, Rule, answer_of, billed, in_force
from webapp.vendor import codes
from webapp.vendor.contract import Billed, Cause, Outcome, Reply
from webapp.vendor.reading import Answer, read_answer

ANSWERS = st.sampled_from(sorted(DEFAULTS))
TIMES = st.integers(-5, 5).map(lambda hours: NOW + timedelta(hours=hours))
RULES = st.lists(st.builds(Rule, ANSWERS, st.sampled_from(Billed), TIMES), max_size=12)
REFUSED = list(dict.fromkeys([*codes.GATEWAY_CODES.values(), *codes.GATEWAY_MESSAGES.values(), codes.NO_ANSWER]))


def json_reply(code: str) -> Reply:
    return read_answer(Answer(200, {}, f'{{"respCode": "{code}"}}'.encode()))


@pytest.mark.parametrize("code", [*codes.RESP_CODES, "0005", "9999", ""])
def test_an_answer_with_http_200_goes_by_its_code_or_as_any_other(code: str) -> None:
    answer = answer_of(json_reply(code))

    assert answer == (code if code in codes.RESP_CODES else OTHER)
    assert DEFAULTS[answer] == json_reply(code).billed == Billed.YES


def test_what_is_no_json_is_any_other_answer() -> None:
    assert answer_of(read_answer(Answer(200, {}, b"<html>"))) == OTHER


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: str(row.cause))
def test_a_refusal_goes_by_its_cause_and_costs_what_the_vendors_table_says(row: codes.Row) -> None:
    reply = Reply(row.outcome, row.billed, row.cause, code="B403MQ", http_status=403)

    assert answer_of(reply) == row.cause
    assert DEFAULTS[answer_of(reply)] == row.billed


def test_the_backends_own_error_and_an_unknown_refusal_are_answers_of_their_own() -> None:
    backend = read_answer(Answer(418, {}))
    strange = read_answer(Answer(403, {"X-Ca-Error-Message": "Never heard of"}))

    assert [answer_of(one) for one in (backend, strange)] == ["backend_status", "unknown_code"]
    assert [DEFAULTS[answer_of(one)] for one in (backend, strange)] == [Billed.NO, Billed.NO]


@pytest.mark.parametrize("cause", [Cause.NETWORK, Cause.ABANDONED])
def test_a_call_that_brought_no_answer_at_all_is_under_no_rule(cause: Cause) -> None:
    reply = Reply(Outcome.UNKNOWN, Billed.UNKNOWN, cause)

    assert answer_of(reply) not in DEFAULTS
    assert billed(reply, [Rule(answer, Billed.YES, NOW) for answer in DEFAULTS], NOW) == Billed.UNKNOWN


@given(RULES)
def test_without_a_rule_in_force_the_vendors_table_decides(rules: list[Rule]) -> None:
    later = [replace(rule, effective_from=NOW + timedelta(seconds=1)) for rule in rules]
    for code in codes.RESP_CODES:
        others = [rule for rule in rules if rule.answer != code]
        assert billed(json_reply(code), [*others, *later], NOW) == json_reply(code).billed


@given(RULES)
def test_the_rule_in_force_is_the_last_that_had_begun_when_the_call_was_made(rules: list[Rule]) -> None:
    for made_at in {rule.effective_from for rule in rules}:
        found = in_force(rules, made_at)
        for answer in DEFAULTS:
            begun = [(rule.effective_from, n, rule) for n, rule in enumerate(rules)
                     if rule.answer == answer and rule.effective_from <= made_at]  # fmt: skip
            assert found.get(answer) == (max(begun, key=lambda one: one[:2])[2] if begun else None)


@given(RULES, st.builds(Rule, ANSWERS, st.sampled_from(Billed), TIMES))
def test_a_rule_that_is_added_alters_nothing_before_it(rules: list[Rule], added: Rule) -> None:
    before = added.effective_from - timedelta(microseconds=1)

    assert in_force([*rules, added], before) == in_force(rules, before)
    assert in_force([*rules, added], added.effective_from)[added.answer] == added


@given(RULES)
def test_a_rule_is_about_its_answer_only(rules: list[Rule]) -> None:
    for code in codes.RESP_CODES:
        mine = [rule for rule in rules if rule.answer == code]
        reply = replace(json_reply(code), latency_ms=7)
        assert billed(reply, rules, NOW) == billed(reply, mine, NOW)
