"""The unknown desk: what nobody knows is settled by an admin, with a reason, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member, attribute, card_of
from tests.support.waiting import together
from tests.verification.calls import (
    MATCH,
    UNKNOWN,
    ask,
    buy,
    differences,
    give_up,
    lot_figures,
    outcomes,
    somebody,
    verification,
    who,
)
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.notify.notices import Notice
from webapp.quota.models import EntryKind, LedgerEntry
from webapp.usage import queries as usage
from webapp.vendor.contract import Reply
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import operations, settling
from webapp.verification.asked import Asked
from webapp.verification.models import Decision
from webapp.verification.settling import SettledAlready

Open = Callable[[Member | None], Desk]
REASON = "账单第 3 行有此请求号"


def unknown(app: Flask, n: int = 1) -> int:
    return ask(app, somebody(n), lambda _name, _number: UNKNOWN)


def settle(desk: Desk, number: int, decision: str, reason: str = REASON) -> int:
    return desk.post(f"/unknowns/{number}/settle", {"decision": decision, "reason": reason}).status_code


def rows(page: str) -> list[str]:
    return re.findall(r'data-verification="(\d+)"', page)


@pytest.mark.parametrize(
    ("decision", "figures", "stored"),
    [
        ("charged", (9, 0, 1), ("unknown", "yes", "no_answer")),
        ("not_charged", (10, 0, 0), ("unknown", "no", "no_answer")),
        ("ask_again", (9, 1, 0), ("unknown", "unknown", "no_answer")),
    ],
)
def test_a_decision_moves_ledger_counters_and_trail_and_leaves_the_outcome_unknown(
    app: Flask, desk: Open, decision: str, figures: tuple[int, int, int], stored: tuple[str, str, str | None]
) -> None:
    lot, made = buy(app, 10), unknown(app)

    assert settle(desk(ADMIN), made, decision) == 303

    assert lot_figures(app, lot) == figures
    assert outcomes(app) == {stored: 1}
    assert differences(app) == []
    with app.app_context():
        assert usage.unknown_calls() == (1 if decision == "ask_again" else 0)
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.UNKNOWN_SETTLED)).one()
        assert (record.actor_id, record.object_id, record.detail) == (ADMIN.id, made, {"decision": decision})
        assert db.session.scalars(select(Notice).where(Notice.kind == "unknown_outcome")).all() == []


def test_the_ledger_names_who_decided_and_why(app: Flask, desk: Open) -> None:
    buy(app, 10)
    settle(desk(ADMIN), unknown(app), "charged")

    with app.app_context():
        entry = db.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.CHARGE)).one()
        assert (entry.actor_id, entry.reason) == (ADMIN.id, REASON)


def test_the_page_lists_the_open_ones_oldest_first_with_what_support_asks_for(app: Flask, desk: Open) -> None:
    buy(app, 10)
    first, second = unknown(app, 1), unknown(app, 2)
    admin = desk(ADMIN)

    page = admin.get("/unknowns").text
    assert rows(page) == [str(first), str(second)]
    assert attribute(page, "data-unknown") == "2"

    settle(admin, first, "charged")
    settle(admin, second, "ask_again")
    page = admin.get("/unknowns").text
    assert rows(page) == [str(second)], "who may be asked about again is still held"
    assert REASON in page


@pytest.mark.parametrize(
    ("decision", "reason"),
    [("", REASON), ("charged", ""), ("charged", "ab"), ("forget", REASON), ("charged", "x" * 201)],
)
def test_a_decision_needs_a_word_of_ours_and_a_reason(app: Flask, desk: Open, decision: str, reason: str) -> None:
    made = unknown(app)

    assert settle(desk(ADMIN), made, decision, reason) == 422
    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 1}


def test_what_is_known_cannot_be_settled(app: Flask, desk: Open) -> None:
    buy(app, 10)
    known = ask(app, somebody(1), lambda _name, _number: MATCH)
    admin = desk(ADMIN)

    assert settle(admin, known, "not_charged") == 303
    assert settle(admin, 99, "charged") == 404

    assert outcomes(app) == {("match", "yes", None): 1}
    assert differences(app) == []


@pytest.mark.parametrize("member", [OPERATOR, AUDITOR])
def test_only_admins_settle(app: Flask, desk: Open, member: Member) -> None:
    made = unknown(app)

    assert desk(member).get("/unknowns").status_code == 403
    assert settle(desk(member), made, "charged") == 403
    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 1}


def test_of_two_admins_at_once_one_settles(app: Flask) -> None:
    lot, made = buy(app, 10), unknown(app)
    refused: list[int] = []

    def one(decision: Decision) -> None:
        with app.app_context():
            try:
                settling.settle(made, decision, REASON, who(ADMIN), this_instance(), utc_now())
            except SettledAlready:
                refused.append(1)
            finally:
                db.session.remove()

    together(lambda: one(Decision.CHARGED), lambda: one(Decision.NOT_CHARGED))

    assert len(refused) == 1
    assert lot_figures(app, lot) in ((9, 0, 1), (10, 0, 0))
    assert differences(app) == []


def test_the_late_answer_of_a_call_that_was_settled_changes_nothing(app: Flask, desk: Open) -> None:
    lot = buy(app, 10)
    with app.app_context():
        made = operations.begin(Asked(*somebody(1), purpose_id=1, consent=True), who(), this_instance(), NOW)
    give_up(app, NOW + timedelta(hours=1))
    settle(desk(ADMIN), made, "not_charged")

    with app.app_context():
        assert operations.finish(made, MATCH, who(), this_instance(), utc_now()) is False

    assert verification(app, made).billed == "no"
    assert lot_figures(app, lot) == (10, 0, 0)
    assert differences(app) == []


def test_nothing_is_settled_by_itself(app: Flask) -> None:
    lot = buy(app, 10)
    unknown(app)

    assert give_up(app, NOW + timedelta(days=4000)) == 0

    assert lot_figures(app, lot) == (9, 1, 0)


def test_ask_again_lets_the_person_be_asked_about_anew(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    made = ask(app, ("张三", "11010519491231002X"), lambda _name, _number: UNKNOWN)
    operator = desk(OPERATOR)
    assert card_of(operator.verify("张三", "11010519491231002X").text) == ("blocked", "no")

    settle(desk(ADMIN), made, "ask_again")

    assert card_of(operator.verify("张三", "11010519491231002X").text) == ("match", "yes")
    assert sandbox.counts().received == 1
    assert differences(app) == []


def test_a_call_that_no_lot_covers_can_be_settled_too(app: Flask, desk: Open) -> None:
    def vendor(_name: str, _number: str) -> Reply:
        return UNKNOWN

    for n, decision in enumerate(("charged", "not_charged")):
        assert settle(desk(ADMIN), ask(app, somebody(n), vendor), decision) == 303
    assert differences(app) == []
