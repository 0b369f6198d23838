"""Limits on paid calls over the desk: what they count, when they end, and that a refused call leaves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import MakeApp
from tests.support.cast import ADMIN, COLLEAGUE, OPERATOR, Desk, card_of
from tests.verification.calls import MATCH, ask, differences, somebody
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.limits import LimitReached
from webapp.verification.models import Identity, Verification

MORNING = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
"""Half past nine in the reporting zone."""
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(app: Flask, moment: datetime, n: int, name: str | None = None) -> None:
    """A call for the n-th person at that moment; `name`: under this name."""
    person = somebody(n)
    ask(app, (name or person[0], person[1]), lambda *_: MATCH, clock=lambda: moment)


def refused_until(app: Flask, moment: datetime, n: int, name: str | None = None) -> datetime:
    with pytest.raises(LimitReached) as reached:
        at(app, moment, n, name)
    return reached.value.until


def stored(app: Flask) -> tuple[int, int]:
    """(verifications, identities)"""
    with app.app_context():
        counted = (db.session.scalar(select(func.count()).select_from(model)) for model in (Verification, Identity))
        return tuple(counted)  # type: ignore[return-value]


def test_an_operator_makes_so_many_calls_in_a_minute_whoever_is_asked_about(make_app: MakeApp) -> None:
    app = make_app(LIMITS="operator=2/minute")
    at(app, MORNING, 1)
    at(app, MORNING + 20 * SECOND, 2)

    assert refused_until(app, MORNING + 40 * SECOND, 3) == MORNING + MINUTE
    at(app, MORNING + MINUTE, 3)
    assert refused_until(app, MORNING + MINUTE, 4) == MORNING + 20 * SECOND + MINUTE
    assert stored(app) == (3, 3)
    assert differences(app) == []


def test_a_number_is_asked_about_so_often_in_a_day_by_whomever_and_under_whatever_name(make_app: MakeApp) -> None:
    app = make_app(LIMITS="number=2/day")
    at(app, MORNING, 1)
    with app.app_context():
        ask(app, ("另一名", somebody(1)[1]), lambda *_: MATCH, by=COLLEAGUE, clock=lambda: MORNING + HOUR)

    assert refused_until(app, MORNING + 2 * HOUR, 1, "第三名") == MORNING + DAY
    at(app, MORNING + 2 * HOUR, 2)
    at(app, MORNING + DAY, 1)


def test_a_name_is_tried_with_so_many_numbers_in_a_day_and_the_same_number_again_is_no_new_one(
    make_app: MakeApp,
) -> None:
    app = make_app(LIMITS="name=2/day")
    for moment, n in ((MORNING, 1), (MORNING + HOUR, 2), (MORNING + 2 * HOUR, 1), (MORNING + 2 * HOUR, 2)):
        at(app, moment, n, "张试")

    assert refused_until(app, MORNING + 3 * HOUR, 3, "张试") == MORNING + 2 * HOUR + DAY
    at(app, MORNING + 3 * HOUR, 3, "李试")
    at(app, MORNING + 3 * HOUR, 1, "张试")


def test_the_strictest_of_several_limits_counts(make_app: MakeApp) -> None:
    app = make_app(LIMITS="operator=9/minute;number=1/day;operator=2/day")
    at(app, MORNING, 1)

    assert refused_until(app, MORNING + MINUTE, 1) == MORNING + DAY
    at(app, MORNING + MINUTE, 2)
    assert refused_until(app, MORNING + HOUR, 3) == MORNING + DAY


def test_no_limit_is_none(make_app: MakeApp) -> None:
    app = make_app(LIMITS="")
    for n in range(30):
        at(app, MORNING, n % 3)
    assert stored(app) == (30, 30)


@pytest.mark.parametrize(
    ("limits", "cause", "until"),
    [
        ("operator=1/minute", "you have reached your limit of calls.", "2026-11-02 09:31:00"),
        ("number=1/hour", "this number was verified too often.", "2026-11-02 10:30:00"),
    ],
)
def test_the_desk_says_when_the_next_call_is_possible_and_spends_none(
    make_app: MakeApp, sandbox: Sandbox, limits: str, cause: str, until: str
) -> None:
    app = make_app(LIMITS=limits)
    with time_machine.travel(MORNING, tick=False) as clock:
        operator = Desk(app, OPERATOR)
        assert card_of(operator.verify("张三", "11010519491231002X", again="yes").text) == ("match", "yes")

        page = operator.verify("张三", "11010519491231002X", again="yes")

        assert (page.status_code, card_of(page.text)) == (429, ("blocked", "no"))
        english = Desk(app, OPERATOR)
        english.client.post("/preferences", data={"csrf_token": english.token(), "locale": "en"})
        said = english.verify("张三", "11010519491231002X", again="yes").text
        assert f">Not submitted: {cause}<" in said
        assert f">The next one is possible at {until}.<" in said
        assert sandbox.counts().received == 1
        assert stored(app) == (1, 1)
        clock.shift(HOUR)
        assert card_of(Desk(app, OPERATOR).verify("张三", "11010519491231002X", again="yes").text)[1] == "yes"
    assert differences(app) == []


def test_a_refusal_is_in_the_trail_without_saying_who_was_meant(make_app: MakeApp) -> None:
    app = make_app(LIMITS="operator=1/day")
    operator = Desk(app, ADMIN)
    operator.verify(*somebody(1))
    operator.verify(*somebody(2))

    with app.app_context():
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.VERIFICATION_BLOCKED)).one()
        assert (record.actor_id, record.success, record.detail) == (ADMIN.id, False, {"why": "limit operator"})
