"""Caps and the floor: they refuse before a call is spent, exactly, and say which, how many and until when."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, text

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member, card_of
from tests.support.waiting import Tally, together
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, ask, buy, differences, somebody, who
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify import notices
from webapp.quota import ledger
from webapp.quota import queries as quota
from webapp.usage import counters
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import caps
from webapp.verification.cap_rules import Caller, CapKind, Whom, heeded, refuses
from webapp.verification.caps import DESK_FLOOR, CapReached
from webapp.verification.models import Source, Verification
from webapp.verification.operations import NotBegun

EVENING = datetime(2026, 11, 2, 15, 30, tzinfo=UTC)
"""Half past eleven at night in the reporting zone, which is behind nobody: its day ends at 16:00 UTC."""
MIDNIGHT = datetime(2026, 11, 2, 16, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
THE_OPERATOR, FRONT = Whom(CapKind.OPERATOR, str(OPERATOR.id)), Whom(CapKind.DEPARTMENT, "1")
THE_DESK = Whom(CapKind.SOURCE, Source.DESK)


def cap(app: Flask, whom: Whom, calls: int | None) -> None:
    with app.app_context(), transaction():
        caps.set_cap(whom, calls, who(ADMIN), EVENING)


def at(app: Flask, moment: datetime, n: int, reply: Any = MATCH, by: Member = OPERATOR) -> None:
    ask(app, somebody(n), lambda *_: reply, by=by, clock=lambda: moment)


def refused(app: Flask, moment: datetime, n: int, by: Member = OPERATOR) -> CapReached:
    with pytest.raises(CapReached) as reached:
        at(app, moment, n, by=by)
    return reached.value


def stored(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Verification)) or 0


def test_an_operators_cap_holds_for_the_day_of_the_reporting_zone_and_for_nobody_else(app: Flask) -> None:
    cap(app, THE_OPERATOR, 2)
    at(app, EVENING, 1)
    at(app, EVENING + MINUTE, 2)

    reached = refused(app, EVENING + 2 * MINUTE, 3)

    assert (reached.whom, reached.calls, reached.until) == (THE_OPERATOR, 2, MIDNIGHT)
    assert stored(app) == 2
    at(app, EVENING + 2 * MINUTE, 3, by=COLLEAGUE)
    at(app, MIDNIGHT, 4)
    at(app, MIDNIGHT, 5)
    assert refused(app, MIDNIGHT + DAY - MINUTE, 6).until == MIDNIGHT + DAY
    assert differences(app) == []


def test_a_departments_cap_counts_all_who_belong_to_it_at_the_time(app: Flask) -> None:
    cap(app, FRONT, 2)
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE app_user SET department_id = 1 WHERE id = 3"))
    at(app, EVENING, 1)
    at(app, EVENING, 2, by=COLLEAGUE)

    assert refused(app, EVENING, 3).whom == FRONT
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE app_user SET department_id = 2 WHERE id = 3"))
    at(app, EVENING, 3, by=COLLEAGUE)


def test_a_sources_cap_counts_everybodys_calls(app: Flask) -> None:
    cap(app, THE_DESK, 2)
    at(app, EVENING, 1)
    at(app, EVENING, 2, by=COLLEAGUE)

    assert refused(app, EVENING, 3, by=ADMIN).whom == THE_DESK


def test_the_cap_that_leaves_least_refuses(app: Flask) -> None:
    for whom, calls in ((THE_OPERATOR, 9), (FRONT, 1), (THE_DESK, 9)):
        cap(app, whom, calls)
    at(app, EVENING, 1)

    assert refused(app, EVENING, 2).whom == FRONT


def test_only_what_was_or_may_have_been_charged_counts(app: Flask) -> None:
    cap(app, THE_OPERATOR, 2)
    at(app, EVENING, 1, REFUSED)
    at(app, EVENING, 2, UNKNOWN)
    with app.app_context():
        counters.fold(this_instance().settings.zone)
    at(app, EVENING, 3, REFUSED)
    at(app, EVENING, 4)

    assert refused(app, EVENING, 5).calls == 2


def test_a_cap_of_nothing_allows_nothing_and_a_removed_one_everything(app: Flask) -> None:
    cap(app, THE_OPERATOR, 0)
    refused(app, EVENING, 1)
    cap(app, THE_OPERATOR, 1)
    at(app, EVENING, 1)
    refused(app, EVENING, 2)
    cap(app, THE_OPERATOR, None)

    at(app, EVENING, 2)


@pytest.mark.parametrize("whom", [THE_OPERATOR, THE_DESK])
def test_racing_callers_never_pass_a_cap(app: Flask, whom: Whom) -> None:
    cap(app, whom, 7)
    made, stopped = Tally(), Tally()

    def caller(n: int) -> None:
        while True:
            try:
                ask(app, somebody(n), lambda *_: MATCH)
                return made.add(1)
            except CapReached:
                return stopped.add(1)
            except NotBegun:  # a slow machine is too busy for all at once: nothing was sent, so they ask again
                continue

    together(*(lambda n=n: caller(n) for n in range(24)))

    assert (made.value, stopped.value, stored(app)) == (7, 17, 7)
    assert differences(app) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_whom_no_cap_holds_for_waits_for_nobody(app: Flask) -> None:
    """A capped caller's intent stays open; another operator's is stored meanwhile."""
    cap(app, THE_OPERATOR, 5)
    zone = this(app)
    with app.app_context(), transaction():
        caps.enforce(Caller(OPERATOR.id, 1, Source.DESK), zone, EVENING)

        together(lambda: at(app, EVENING, 1, by=COLLEAGUE), seconds=20)

        assert stored_elsewhere(app) == 1


def this(app: Flask) -> Any:
    with app.app_context():
        return this_instance().settings.zone


def stored_elsewhere(app: Flask) -> int:
    found: list[int] = []
    together(lambda: found.append(stored(app)))
    return found[0]


def elsewhere(app: Flask, n: int) -> None:
    """One more call from another source than the desk, as far as its hold: the whole intent of its transaction."""
    with app.app_context():
        zone = this_instance().settings.zone
        with transaction() as session:
            caps.enforce(Caller(OPERATOR.id, 1, "batch"), zone, EVENING)
            session.execute(text("INSERT INTO verification (id, created_at, deadline_at, outcome, billed, source,"
                                 " vendor_code, request_id, attempts, operator_id, purpose_id, legal_basis, consent)"
                                 " VALUES (:id, '2026-11-02 15:30:00', '2026-11-02 15:31:00', 'match', 'unknown',"
                                 " 'batch', '', '', 1, 2, 1, 'consent', TRUE)"), {"id": 1000 * (n + 1)})  # fmt: skip
            ledger.hold(1000 * (n + 1), day_of(EVENING, zone), EVENING)


def remaining(app: Flask) -> int:
    with app.app_context():
        return quota.valid_supply(day_of(EVENING, this_instance().settings.zone))[0]


def test_other_sources_stop_at_the_floor_and_the_desk_goes_on_to_the_last_call(app: Flask) -> None:
    buy(app, 2)
    buy(app, 3)
    cap(app, DESK_FLOOR, 3)
    elsewhere(app, 1)
    elsewhere(app, 2)

    with pytest.raises(CapReached) as reached:
        elsewhere(app, 3)

    assert (reached.value.whom, reached.value.calls, reached.value.until) == (DESK_FLOOR, 3, None)
    for n in range(3):
        at(app, EVENING, n)
    assert remaining(app) == 0
    at(app, EVENING, 4)
    buy(app, 4)
    elsewhere(app, 3)


def test_racing_callers_from_elsewhere_leave_the_floor_whole(app: Flask) -> None:
    buy(app, 20)
    cap(app, DESK_FLOOR, 12)
    stopped = Tally()

    def caller(n: int) -> None:
        try:
            elsewhere(app, n)
        except CapReached:
            stopped.add(1)

    together(*(lambda n=n: caller(n) for n in range(16)))

    assert (stopped.value, remaining(app)) == (8, 12)


def test_what_a_caller_must_heed() -> None:
    assert heeded(Caller(2, None, "desk"), "desk") == [THE_OPERATOR, THE_DESK]
    assert FRONT in heeded(Caller(2, 1, "desk"), "desk")
    assert DESK_FLOOR in heeded(Caller(2, 1, "batch"), "desk")


@pytest.mark.parametrize(
    ("kind", "calls", "used", "left", "refused"),
    [
        (CapKind.OPERATOR, 5, 4, 0, False), (CapKind.OPERATOR, 5, 5, 99, True), (CapKind.SOURCE, 0, 0, 99, True),
        (CapKind.DEPARTMENT, 5, 9, 99, True), (CapKind.FLOOR, 3, 99, 4, False), (CapKind.FLOOR, 3, 0, 3, True),
        (CapKind.FLOOR, 3, 0, 0, True), (CapKind.FLOOR, 0, 0, 1, False),
    ],
)  # fmt: skip
def test_one_more_call_is_refused_where_it_would_pass_the_figure(
    kind: CapKind, calls: int, used: int, left: int, refused: bool
) -> None:
    assert refuses(kind, calls, used=used, remaining=left) is refused


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_desk_says_which_cap_how_many_and_until_when_and_spends_nothing(app: Flask, sandbox: Sandbox) -> None:
    sentences = {
        THE_OPERATOR: "your calls for today are used up: an admin allows you 0 a day.",
        FRONT: "your department&#39;s calls for today are used up: an admin allows it 0 a day.",
        THE_DESK: "today&#39;s calls from this source (Desk) are used up: an admin allows it 0 a day.",
    }  # fmt: skip
    with time_machine.travel(EVENING, tick=False):
        operator = Desk(app, OPERATOR)
        operator.post("/preferences", {"locale": "en"})
        for whom, sentence in sentences.items():
            cap(app, whom, 0)
            page = operator.verify("张三", "11010519491231002X")
            cap(app, whom, None)

            assert (page.status_code, card_of(page.text)) == (429, ("blocked", "no"))
            assert sentence in re.sub(r"\s+", " ", page.text)
            assert "2026-11-03 00:00:00" in page.text
    assert (sandbox.counts().received, stored(app)) == (0, 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_reached_cap_is_in_the_trail_each_time_and_told_to_admins_once_a_day(app: Flask) -> None:
    cap(app, THE_OPERATOR, 0)
    for moment in (EVENING, EVENING + MINUTE, MIDNIGHT):
        with time_machine.travel(moment, tick=False):
            operator = Desk(app, OPERATOR)
            operator.verify(*somebody(1))
            operator.verify(*somebody(2))
    with app.app_context(), app.test_request_context():
        told = notices.standing(ADMIN.id, ADMIN.role)
        assert notices.standing(AUDITOR.id, AUDITOR.role) == []
        blocked = select(AuditRecord.detail).where(AuditRecord.action == Action.VERIFICATION_BLOCKED)
        assert db.session.scalars(blocked).all() == [{"why": "cap operator"}] * 6

    assert len(told) == 2
    assert all("乙核验" in one.text and one.endpoint == "caps.index" for one in told)


Page = Callable[[], Desk]


@pytest.fixture
def admin(app: Flask) -> Desk:
    desk = Desk(app, ADMIN)
    desk.post("/preferences", {"locale": "en"})
    return desk


def figures(page: str) -> dict[str, tuple[int, int]]:
    """Each cap of the page: (used today, calls a day)."""
    rows = re.findall(r'data-cap="([^"]+)" data-used="(\d+)" data-calls="(\d+)"', page)
    return {name: (int(used), int(calls)) for name, used, calls in rows}


def test_an_admin_sets_changes_and_removes_a_cap_and_sees_what_is_used(app: Flask, admin: Desk) -> None:
    assert "calls are capped" in admin.get("/settings/caps").text
    ask(app, somebody(1), lambda *_: MATCH)

    for calls in ("5", "1"):
        assert admin.post("/settings/caps", {"whom": "operator:2", "calls": calls}).status_code == 303
    admin.post("/settings/caps", {"whom": "department:2", "calls": "0"})
    admin.post("/settings/caps", {"whom": "source:desk", "calls": "10000000"})

    page = admin.get("/settings/caps").text
    assert figures(page) == {"operator:2": (1, 1), "department:2": (0, 0), "source:desk": (1, 10_000_000)}
    assert page.count("used up") == 2
    assert admin.post("/settings/caps/operator/2/remove").status_code == 303
    assert set(figures(admin.get("/settings/caps").text)) == {"department:2", "source:desk"}
    with app.app_context():
        changes = select(AuditRecord.detail).where(AuditRecord.action == Action.CAP_CHANGED).order_by(AuditRecord.id)
        told = [(one["kind"], one["of"], one["before"], one["calls"]) for one in db.session.scalars(changes)]
    assert told == [("operator", "2", None, 5), ("operator", "2", 5, 1), ("department", "2", None, 0),
                    ("source", "desk", None, 10_000_000), ("operator", "2", 1, None)]  # fmt: skip


def test_the_floor_is_kept_and_given_up(app: Flask, admin: Desk) -> None:
    admin.post("/settings/caps/floor", {"kept": "40"})
    assert re.search(r'name="kept"[^>]*value="40"', admin.get("/settings/caps").text)

    admin.post("/settings/caps/floor", {"kept": "0"})

    with app.app_context():
        assert (caps.floor(), caps.all_caps()) == (0, [])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"whom": "operator:2", "calls": "-1"}, "whole number from 0"),
        ({"whom": "operator:2", "calls": ""}, "Enter a"),
        ({"whom": "operator:2", "calls": "1.5"}, "Enter a whole number."),
        ({"whom": "operator:2", "calls": "1_0"}, "Enter a whole number."),
        ({"whom": "operator:2", "calls": "10000001"}, "whole number from 0"),
        ({"whom": "operator:2", "calls": "9" * 40}, "whole number from 0"), ({"whom": "", "calls": "5"}, "for whom"),
        ({"whom": "operator:4", "calls": "5"}, "Not a valid choice"),
        ({"whom": "operator:99", "calls": "5"}, "Not a valid choice"),
        ({"whom": "floor:desk", "calls": "5"}, "Not a valid choice"),
    ],
)  # fmt: skip
def test_a_senseless_cap_is_refused_beside_its_field(admin: Desk, fields: dict[str, str], fault: str) -> None:
    page = admin.post("/settings/caps", fields)

    assert page.status_code == 422
    assert fault in page.text
    assert figures(admin.get("/settings/caps").text) == {}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_senseless_floor_is_refused_and_the_one_in_force_stands(app: Flask, admin: Desk) -> None:
    admin.post("/settings/caps/floor", {"kept": "40"})
    for kept in ("-1", "", "many", "10000001"):
        assert admin.post("/settings/caps/floor", {"kept": kept}).status_code == 422
    assert admin.post("/settings/caps/operator/7/remove").status_code == 404

    with app.app_context():
        assert caps.floor() == 40
