"""What a card says beside the outcome: how consent was given, what to do next, whose spelling to compare."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member, card_of
from tests.verification.calls import somebody
from tests.verification.test_purposes import CHILD, declare
from tests.verification.test_reuse import terms
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.vendor import circuit
from webapp.vendor.codes import GATEWAY_BUSY, GATEWAY_CODES, NETWORK, VENDOR_UNREACHABLE
from webapp.vendor.contract import Outcome
from webapp.vendor.sandbox.people import PEOPLE, Person
from webapp.vendor.sandbox.scenarios import SCENARIOS
from webapp.vendor.sandbox.server import Sandbox
from webapp.vendor.texts import NEXT_STEPS, REFUSALS

Open = Callable[[Member | None], Desk]
ZHANG = {"name": "张三", "id_number": "11010519491231002X"}
SPELLING = "间隔号、生僻字、字母"


def fact(page: str, label: str, part: str = "data-result") -> str | None:
    """What stands beside a label of the card, None where the label is not there."""
    card = page.split(part)[1].split("</section>")[0]
    found = re.search(rf"<dt[^>]*>{label}</dt><dd[^>]*>(.*?)</dd>", card)
    return html.unescape(found[1]) if found else None


def steps(page: str) -> list[str]:
    return re.findall(r"data-step-next[^>]*>(.*?)</p>", page)


def test_consent_given_in_person_is_said_so(desk: Open, sandbox: Sandbox) -> None:
    assert fact(desk(OPERATOR).verify(**ZHANG).text, "同意方式") == "本人当面"


def test_consent_by_a_shift_declaration_names_its_document(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    declare(operator, document="DOC-7 <b>")

    page = operator.verify(**ZHANG, consent="").text

    assert fact(page, "同意方式") == "班次声明 DOC-7 <b>"
    assert fact(desk(AUDITOR).get("/verifications/1").text, "同意方式") == "班次声明 DOC-7 <b>"


def test_a_childs_consent_is_the_guardians(desk: Open, sandbox: Sandbox) -> None:
    assert fact(desk(OPERATOR).verify(**CHILD, guardian_consent="yes").text, "同意方式") == "监护人"


def test_where_consent_is_not_the_basis_the_card_says_nothing_of_it(desk: Open, sandbox: Sandbox) -> None:
    desk(ADMIN).post("/settings/purposes/1", terms(legal_basis="legal_duty", active="y"))

    page = desk(OPERATOR).verify(**ZHANG, consent="").text

    assert card_of(page)[0] == "match"
    assert fact(page, "同意方式") is None


def test_a_reused_result_says_how_consent_was_given_to_either_question(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(**ZHANG)
    admin = desk(ADMIN)
    declare(admin, document="DOC-7")

    page = admin.verify(**ZHANG, consent="").text

    assert card_of(page)[0] == "reused"
    assert fact(page, "同意方式", "data-asked") == "班次声明 DOC-7"
    assert fact(page, "同意方式", "data-copy-label") == "本人当面"


def test_the_tick_names_the_document_that_stands_for_it_and_until_when(desk: Open) -> None:
    operator = desk(OPERATOR)
    assert 'id="consent-hint"' not in operator.get("/verify").text

    with time_machine.travel(utc_now().replace(hour=1, minute=2, second=3), tick=False):
        declare(desk(OPERATOR), document="DOC-7", hours="8")
        page = desk(OPERATOR).get("/verify").text

    hint = re.search(r'id="consent-hint">(.*?)</p>', page, re.DOTALL)
    assert hint is not None
    assert "DOC-7" in hint[1]
    assert "17:02:03" in hint[1], "in the reporting zone"
    assert "DOC-7" not in desk(COLLEAGUE).get("/verify").text


@pytest.mark.parametrize("person", [one for one in PEOPLE if one.number[6:10] < "2010" and one.number[-3:] != "000"],
                         ids=lambda one: one.number)  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_mismatch_of_a_rare_or_separated_name_says_to_compare_the_spelling(
    desk: Open, sandbox: Sandbox, person: Person
) -> None:
    operator, name = desk(OPERATOR), person.name
    unusual = any(char in name for char in "·㛃䶮𬱖𠮷〇")

    page = operator.verify(name, somebody(1)[1]).text

    assert card_of(page)[0] == "no_such_number"
    assert steps(page) == [], "the number is what is unknown"
    other = next(one for one in PEOPLE if one.name != name and one.number[-3:] != "000" and one.number[6:10] < "2010")
    page = operator.verify(name, other.number).text
    assert card_of(page)[0] == "mismatch"
    assert any(SPELLING in step for step in steps(page)) is unusual
    assert SPELLING not in desk(AUDITOR).get("/verifications/2").text, "who does not see the name learns nothing of it"


def test_so_does_what_the_vendor_does_not_accept_and_a_reused_mismatch(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    number = "100101199003080023"
    assert SPELLING not in operator.verify("演练特殊字符", number).text, "an ordinary name"

    operator.verify("古丽娜尔·演练", number)
    page = operator.verify("古丽娜尔·演练", number).text

    assert card_of(page)[0] == "reused"
    assert any(SPELLING in step for step in steps(page))
    with time_machine.travel(utc_now() + timedelta(minutes=11)):
        assert SPELLING not in desk(OPERATOR).get("/reuses/1").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_refused_card_says_what_to_do_next(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    operator, told = desk(OPERATOR), set()
    refused = [one for one in SCENARIOS if one.outcome == Outcome.REFUSED and one.retry == "never"]
    for n, scenario in enumerate(refused):
        page = operator.verify(scenario.name, somebody(n)[1]).text
        with app.app_context(), transaction():
            circuit.reset()

        assert card_of(page) == ("refused", "no")
        assert len(steps(page)) == 1, scenario.name
        told.add(steps(page)[0])
    assert len(told) >= 8


def test_no_cause_of_a_refusal_is_without_a_next_step() -> None:
    causes = {row.cause for row in GATEWAY_CODES.values() if row.outcome == Outcome.REFUSED}

    assert causes | {row.cause for row in (NETWORK, VENDOR_UNREACHABLE, GATEWAY_BUSY)} <= NEXT_STEPS.keys()
    assert REFUSALS.keys() <= NEXT_STEPS.keys()
