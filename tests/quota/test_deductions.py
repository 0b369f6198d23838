"""The admin's table of deductions: what a call was charged at is decided by the rule in force when it was made."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.quota.books import REASON, WHO
from tests.support.cast import ADMIN, AUDITOR, OPERATOR, Desk, Member, card_of
from tests.support.faults import fault_beside
from tests.verification.calls import MATCH, ask, buy, differences, lot_figures, outcomes, somebody, verification
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import deductions, queries
from webapp.quota.deduction_rules import Rule
from webapp.quota.deductions import InThePast
from webapp.quota.models import DeductionRule
from webapp.usage import queries as usage
from webapp.vendor.contract import Billed, Outcome, Reply
from webapp.verification import settling
from webapp.verification.models import Decision

Open = Callable[[Member | None], Desk]
NO_SUCH = Reply(Outcome.NO_SUCH_NUMBER, Billed.YES, code="0007", http_status=200)
FORM = {"answer": "0007", "billed": "no", "effective_from": "", "reason": REASON}


def add(app: Flask, answer: str, billed: Billed, since: datetime, now: datetime | None = None) -> None:
    with app.app_context(), transaction():
        deductions.change(Rule(answer, billed, since), REASON, WHO, now or since)


def rules(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(DeductionRule)) or 0


def answered(reply: Reply) -> Callable[[str, str], Reply]:
    return lambda _name, _number: reply


@pytest.mark.parametrize(
    ("billed", "figures"), [(Billed.YES, (9, 0, 1)), (Billed.NO, (10, 0, 0)), (Billed.UNKNOWN, (9, 1, 0))]
)
def test_a_rule_decides_whether_an_answer_costs_a_call(
    app: Flask, billed: Billed, figures: tuple[int, int, int]
) -> None:
    lot = buy(app, 10)
    add(app, "0007", billed, utc_now() - timedelta(minutes=1))

    made = ask(app, somebody(1), answered(NO_SUCH))

    assert verification(app, made).billed == billed
    assert lot_figures(app, lot) == figures
    assert differences(app) == []


def test_a_call_is_charged_by_the_rule_of_the_time_it_was_made_not_of_its_answer(app: Flask) -> None:
    lot = buy(app, 10)
    made_at = utc_now()
    times = iter([made_at, made_at + timedelta(seconds=9)])

    def slow(_name: str, _number: str) -> Reply:
        add(app, "0007", Billed.NO, made_at + timedelta(seconds=1))
        return NO_SUCH

    before = ask(app, somebody(1), slow, clock=lambda: next(times))
    after = ask(app, somebody(2), answered(NO_SUCH), clock=lambda: made_at + timedelta(seconds=10))

    assert [verification(app, one).billed for one in (before, after)] == ["yes", "no"]
    assert lot_figures(app, lot) == (9, 0, 1)


def test_a_new_rule_leaves_what_was_charged_as_it_is(app: Flask) -> None:
    lot = buy(app, 10)
    made = ask(app, somebody(1), answered(MATCH))

    add(app, "0000", Billed.NO, utc_now())

    assert verification(app, made).billed == "yes"
    assert lot_figures(app, lot) == (9, 0, 1)


def test_no_rule_begins_in_the_past(app: Flask) -> None:
    now = utc_now()
    with pytest.raises(InThePast):
        add(app, "0007", Billed.NO, now - timedelta(seconds=1), now)
    assert rules(app) == 0


def test_a_plain_answer_that_nobody_knows_to_be_charged_waits_for_an_admin(app: Flask, desk: Open) -> None:
    lot = buy(app, 10)
    add(app, "0007", Billed.UNKNOWN, utc_now() - timedelta(minutes=1))
    first, second = (ask(app, somebody(n), answered(NO_SUCH)) for n in (1, 2))
    with app.app_context():
        assert usage.unknown_calls() == 2

    admin = desk(ADMIN)
    assert f'data-verification="{first}"' in admin.get("/unknowns").text
    assert card_of(admin.get(f"/verifications/{first}").text) == ("no_such_number", "unknown")
    assert admin.post(f"/unknowns/{first}/settle", {"decision": "charged", "reason": REASON}).status_code == 303
    with app.app_context():
        settling.settle(second, Decision.NOT_CHARGED, REASON, WHO, this_instance(), utc_now())

    assert outcomes(app) == {("no_such_number", "yes", None): 1, ("no_such_number", "no", None): 1}
    assert lot_figures(app, lot) == (9, 0, 1)
    assert differences(app) == []


def test_a_call_that_no_lot_covers_is_uncovered_only_where_it_was_charged(app: Flask) -> None:
    ask(app, somebody(1), answered(NO_SUCH))
    add(app, "0007", Billed.NO, utc_now())
    ask(app, somebody(2), answered(NO_SUCH))

    with app.app_context():
        assert queries.balance(utc_now().date(), 0).uncovered == 1


def test_the_page_shows_every_answer_and_adds_a_rule_with_reason_and_person(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    assert 'data-answer="0007" data-billed="yes"' in admin.get("/settings/deductions").text

    assert admin.post("/settings/deductions", FORM).status_code == 303

    page = admin.get("/settings/deductions").text
    assert 'data-answer="0007" data-billed="no"' in page
    assert 'data-answer="vendor_timeout" data-billed="unknown"' in page
    assert REASON in page
    assert ADMIN.name in page
    with app.app_context():
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.DEDUCTION_CHANGED)).one()
        assert (record.actor_id, record.detail["answer"], record.detail["billed"]) == (ADMIN.id, "0007", "no")


def test_a_rule_to_come_is_shown_and_not_yet_in_force(desk: Open) -> None:
    admin = desk(ADMIN)
    local = (utc_now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")

    assert admin.post("/settings/deductions", FORM | {"effective_from": local}).status_code == 303

    page = admin.get("/settings/deductions", headers={"Accept-Language": "en"}).text
    assert 'data-answer="0007" data-billed="yes"' in page
    assert re.search(r"from " + local.replace("T", " "), page), "in the reporting zone, as it was typed"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("answer", ""), ("answer", "0006"), ("answer", "network"), ("billed", ""), ("billed", "maybe"),
        ("effective_from", "0001-01-01T00:00"), ("effective_from", "9999-12-31T23:59"),
        ("effective_from", "1999-12-31T23:59"), ("effective_from", "2101-01-01T00:00"),
        ("effective_from", "2020-01-01T00:00"), ("effective_from", "tomorrow"), ("effective_from", "23.11.2027 08:00"),
        ("reason", ""), ("reason", "ab"), ("reason", "x" * 201), ("reason", "a\nb"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_beside_its_field_and_not_stored(
    desk: Open, app: Flask, field: str, text: str
) -> None:
    page = desk(ADMIN).post("/settings/deductions", FORM | {field: text})

    assert page.status_code == 422
    assert fault_beside(page.text, field)
    assert rules(app) == 0


def test_only_admins_see_and_change_what_an_answer_costs(desk: Open, app: Flask) -> None:
    for member in (OPERATOR, AUDITOR):
        assert desk(member).get("/settings/deductions").status_code == 403
        assert desk(member).post("/settings/deductions", FORM).status_code == 403
    assert rules(app) == 0
