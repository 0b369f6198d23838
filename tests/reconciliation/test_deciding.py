"""What an admin decides on a reading: settling what it explains, rebasing on it; with consent, reason and proof."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.reconciliation.counting import BOSS, call, enter, notices, records, standing, unknown
from tests.support.cast import ADMIN, NOW, Desk, Member, attribute
from tests.support.tampering import behind
from tests.support.waiting import together
from tests.verification.calls import buy, differences, lot_figures, outcomes, somebody
from webapp.audit.trail import Action
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger
from webapp.quota import operations as lots
from webapp.quota.ledger import LotClosed, NotSoMany, Purchase
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.reconciliation import operations
from webapp.reconciliation.models import MeterBaseline
from webapp.reconciliation.operations import Changed, NotSure
from webapp.reconciliation.rules import Verdict
from webapp.reminders.queries import supply
from webapp.usage import counters
from webapp.usage.dimensions import Dimensions
from webapp.verification import settling
from webapp.verification.models import Decision, Settlement

REASON = "服务商客服确认"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def settle(app: Flask, reading: int, decision: Decision) -> int:
    with app.app_context():
        return operations.settle(reading, decision, REASON, BOSS, this_instance(), utc_now())


def rebase(app: Flask, reading: int, drift: int, *, sure: bool = False) -> int:
    with app.app_context():
        return operations.rebase(reading, drift, REASON, BOSS, this_instance(), utc_now(), sure=sure)


def corrections(
    app: Flask, kind: EntryKind = EntryKind.USED_ELSEWHERE
) -> list[tuple[int | None, int, int, int | None, str]]:
    with app.app_context():
        found = db.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == kind).order_by(LedgerEntry.id))
        return [(one.lot_id, one.change, one.available_after, one.actor_id, one.reason) for one in found]


def size(app: Flask, lot: int) -> tuple[int, int]:
    """(calls, used before or elsewhere)"""
    with app.app_context():
        found = db.session.get_one(Lot, lot)
        return found.calls, found.used_before


@pytest.mark.parametrize(
    ("used", "decision", "figures"),
    [(5, Decision.CHARGED, (95, 0, 5)), (2, Decision.NOT_CHARGED, (98, 0, 2))],
)
def test_all_unknown_calls_are_settled_at_once_where_the_reading_explains_them_exactly(
    app: Flask, used: int, decision: Decision, figures: tuple[int, int, int]
) -> None:
    lot = buy(app, 100)
    enter(app, 0)
    made = [unknown(app, n) for n in range(3)]
    for n in range(2):
        call(app, 10 + n)
    reading = enter(app, used)

    assert standing(app).offered == decision
    assert settle(app, reading, decision) == 3

    assert lot_figures(app, lot) == figures
    assert standing(app).comparison.verdict is Verdict.AGREED
    assert differences(app) == []
    assert {record.object_id for record in records(app, Action.UNKNOWN_SETTLED)} == set(made)
    with app.app_context():
        assert {row.reason for row in db.session.scalars(select(Settlement))} == {REASON}


def test_where_only_some_were_charged_nothing_is_offered_at_once(app: Flask) -> None:
    enter(app, 0)
    for n in range(3):
        unknown(app, n)
    reading = enter(app, 2)

    assert standing(app).offered is None
    for decision in (Decision.CHARGED, Decision.NOT_CHARGED):
        with pytest.raises(Changed):
            settle(app, reading, decision)
    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 3}


def test_a_decision_on_figures_that_changed_does_nothing(app: Flask) -> None:
    enter(app, 0)
    made = [unknown(app, n) for n in range(2)]
    reading = enter(app, 2)
    with pytest.raises(Changed):
        settle(app, reading, Decision.NOT_CHARGED)
    with pytest.raises(Changed):
        settle(app, reading - 1, Decision.CHARGED)

    with app.app_context():
        settling.settle(made[0], Decision.NOT_CHARGED, REASON, BOSS, this_instance(), utc_now())
    with pytest.raises(Changed):
        settle(app, reading, Decision.CHARGED)

    assert outcomes(app)["unknown", "unknown", "no_answer"] == 1
    assert differences(app) == []


def test_several_are_settled_together_or_not_at_all(app: Flask) -> None:
    lot = buy(app, 10)
    made = [unknown(app, 1), call(app, 2), unknown(app, 3)]

    with app.app_context(), pytest.raises(settling.SettledAlready):
        settling.settle_all(made, Decision.CHARGED, REASON, BOSS, this_instance(), utc_now())

    assert lot_figures(app, lot) == (7, 2, 1)
    assert records(app, Action.UNKNOWN_SETTLED) == []
    assert differences(app) == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_reason_for_several_names_none_of_their_people(
    app: Flask, which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "CHUNK", 1)  # whoever it names is looked for in every chunk
    lot, made = buy(app, 10), [unknown(app, 1), unknown(app, 2), unknown(app, 3)]
    name, number = somebody(2)
    reason = f"said by {' '.join(name)}", f"bill of {number[:6]}-{number[6:14]}-{number[14:]}"

    with app.app_context(), pytest.raises(settling.NamesSomeone):
        settling.settle_all(made, Decision.CHARGED, reason[which], BOSS, this_instance(), utc_now())

    assert lot_figures(app, lot) == (7, 3, 0)
    assert [(one.object_id, one.success) for one in records(app, Action.UNKNOWN_SETTLED)] == [(made[1], False)], (
        "of whom the refusal told something"
    )
    assert differences(app) == []


def test_rebasing_corrects_the_lot_once_and_compares_from_there_on(app: Flask) -> None:
    lot = buy(app, 100)
    enter(app, 1000)
    call(app, 1)
    reading = enter(app, 1018)
    assert standing(app).comparison.drift == 17

    assert rebase(app, reading, 17) == -17

    assert corrections(app) == [(lot, -17, 82, ADMIN.id, REASON)]
    assert lot_figures(app, lot) == (82, 0, 1)
    assert size(app, lot) == (100, 17)
    assert differences(app) == []
    found = standing(app)
    assert (found.baseline.id, found.comparison.drift, found.since.corrected) == (reading, 0, -17)
    call(app, 2)
    enter(app, 1019)
    assert standing(app).comparison.verdict is Verdict.AGREED


def test_calls_that_the_vendor_lacks_are_given_back(app: Flask) -> None:
    lot = buy(app, 100)
    enter(app, 0)
    for n in range(5):
        call(app, n)
    reading = enter(app, 3)

    assert rebase(app, reading, -2) == 2

    assert lot_figures(app, lot) == (97, 0, 5)
    assert (size(app, lot), corrections(app)) == ((102, 0), []), "nothing was used elsewhere: the lot is larger"
    assert differences(app) == []


def test_of_calls_that_the_vendor_lacks_those_used_elsewhere_come_back_first(app: Flask) -> None:
    lot = buy(app, 100)
    enter(app, 0)
    rebase(app, enter(app, 4), 4)
    for n in range(9):
        call(app, n)
    reading = enter(app, 7)

    assert rebase(app, reading, -6) == 6

    assert [change for _lot, change, *_rest in corrections(app)] == [-4, 4]
    assert [change for _lot, change, *_rest in corrections(app, EntryKind.CORRECTION)] == [2]
    assert (lot_figures(app, lot), size(app, lot)) == ((93, 0, 9), (102, 0))
    assert differences(app) == []


def test_what_was_used_elsewhere_leaves_size_and_price_as_they_are_and_the_share_is_the_consoles(
    app: Flask, desk: Callable[[Member | None], Desk]
) -> None:
    admin = desk(ADMIN)
    admin.record_lot(10_000)
    enter(app, 0)
    assert rebase(app, enter(app, 8_500), 8_500) == -8_500

    page = admin.get("/").text
    assert (attribute(page, "data-remaining"), attribute(page, "data-total")) == ("1500", "10000")
    with app.app_context():
        assert supply(day_of(utc_now(), this_instance().settings.zone)).is_low, "15 % are left, as the console says"
    assert differences(app) == []


def test_the_check_knows_what_was_booked_as_used_elsewhere(app: Flask) -> None:
    buy(app, 100)
    enter(app, 0)
    rebase(app, enter(app, 17), 17)

    behind(app, "UPDATE ledger_entry SET kind = 'correction' WHERE kind = 'used_elsewhere'")

    found = "\n".join(differences(app))
    for named in ("lot 1 calls in all", "lot 1 used before", "is not as the audit trail recorded it"):
        assert named in found


def test_calls_that_come_back_arm_the_reminder_again_though_the_size_stays(app: Flask) -> None:
    buy(app, 100)
    enter(app, 0)
    rebase(app, enter(app, 85), 85)
    with app.app_context():
        low = supply(day_of(utc_now(), this_instance().settings.zone))
        with transaction():
            ledger.use_elsewhere(1, 85, REASON, BOSS, utc_now())
        lifted = supply(day_of(utc_now(), this_instance().settings.zone))
    assert (low.is_low, lifted.is_above, low.total == lifted.total) == (True, True, True)
    assert low.mark != lifted.mark


def test_no_more_comes_back_than_was_used_elsewhere_and_a_closed_lot_stays_as_it_is(app: Flask) -> None:
    lot = buy(app, 10)
    for change in (1, -11):
        with app.app_context(), pytest.raises(NotSoMany), transaction():
            ledger.use_elsewhere(lot, change, REASON, BOSS, utc_now())
    with app.app_context():
        today = day_of(utc_now(), this_instance().settings.zone)
        with transaction():
            lots.close(lot, REASON, BOSS, today, utc_now())
        with pytest.raises(LotClosed), transaction():
            ledger.use_elsewhere(lot, -1, REASON, BOSS, utc_now())
    assert differences(app) == []


def test_a_correction_never_takes_more_than_there_is(app: Flask) -> None:
    first, second = buy(app, 10), buy(app, 5)
    enter(app, 0)
    reading = enter(app, 40)

    with pytest.raises(NotSure):
        rebase(app, reading, 40)
    assert corrections(app) == []

    assert rebase(app, reading, 40, sure=True) == -15

    assert [lot_figures(app, lot) for lot in (first, second)] == [(0, 0, 0), (0, 0, 0)]
    assert [change for _lot, change, *_rest in corrections(app)] == [-10, -5]
    assert standing(app).since.corrected == -15
    assert differences(app) == []


def test_while_the_total_moved_unexplained_rebasing_asks_first(app: Flask) -> None:
    lot = buy(app, 100)
    enter(app, 0, 1_000_000)
    reading = enter(app, 30, 9_115)

    with pytest.raises(NotSure):
        rebase(app, reading, 30)
    assert lot_figures(app, lot) == (100, 0, 0)
    assert standing(app).comparison.drift == 30, "and no baseline is set"

    assert rebase(app, reading, 30, sure=True) == -30


def test_without_a_lot_only_the_baseline_moves(app: Flask) -> None:
    enter(app, 0)
    reading = enter(app, 40)

    assert rebase(app, reading, 40) == 0

    assert corrections(app) == []
    assert standing(app).comparison.verdict is Verdict.AGREED


def test_rebasing_is_recorded_with_who_and_by_how_much(app: Flask) -> None:
    lot = buy(app, 100)
    enter(app, 0)
    reading = enter(app, 17)
    rebase(app, reading, 17)

    [rebased] = records(app, Action.BOOKS_REBASED)
    [corrected] = records(app, Action.LOT_CORRECTED)
    assert (rebased.actor_id, rebased.object_type, rebased.object_id) == (ADMIN.id, "reading", reading)
    assert rebased.detail == {"drift": 17, "corrected": -17}
    assert (corrected.object_id, corrected.detail) == (
        lot, {"change": -17, "reason": REASON, "entry": "used_elsewhere"},
    )  # fmt: skip
    with app.app_context():
        newest = db.session.scalars(select(MeterBaseline).order_by(MeterBaseline.id.desc())).first()
        assert newest is not None
        assert (newest.actor_id, newest.reason) == (ADMIN.id, REASON)


def test_consent_to_another_figure_or_an_older_reading_is_no_consent(app: Flask) -> None:
    lot = buy(app, 100)
    first = enter(app, 0)
    reading = enter(app, 17)

    for asked, drift in ((reading, 16), (reading, 0), (reading, -17), (first, 17)):
        with pytest.raises(Changed):
            rebase(app, asked, drift)
    assert corrections(app) == []
    assert lot_figures(app, lot) == (100, 0, 0)


def test_of_two_admins_at_once_one_rebases(app: Flask) -> None:
    lot = buy(app, 100)
    enter(app, 0)
    reading = enter(app, 17)
    refused: list[int] = []

    def one() -> None:
        try:
            rebase(app, reading, 17)
        except Changed:
            refused.append(1)

    together(one, one)

    assert len(refused) == 1
    assert lot_figures(app, lot) == (83, 0, 0)
    assert len(corrections(app)) == 1
    assert differences(app) == []


def test_a_correction_that_would_make_a_lot_negative_is_refused(app: Flask) -> None:
    lot = buy(app, 10)

    with app.app_context(), pytest.raises(NotSoMany), transaction():
        ledger.correct(lot, -11, REASON, BOSS, utc_now())
    with app.app_context(), pytest.raises(NotSoMany), transaction():
        ledger.correct(lot + 1, 5, REASON, BOSS, utc_now())
    with app.app_context(), transaction():
        assert ledger.correct(lot, -10, REASON, BOSS, utc_now()) == 0

    assert size(app, lot) == (0, 0)
    assert differences(app) == []


def test_corrections_and_holds_at_once_lose_nothing(app: Flask) -> None:
    lot = buy(app, 20)

    def correct() -> None:
        with app.app_context():
            for _ in range(5):
                with transaction():
                    ledger.correct(lot, -1, REASON, BOSS, utc_now())

    def use(first: int) -> None:
        for n in range(5):
            call(app, first + n)

    together(correct, lambda: use(10), lambda: use(20))

    assert lot_figures(app, lot) == (5, 0, 10)
    assert differences(app) == []


def test_an_upcoming_or_expired_lot_is_not_corrected(app: Flask) -> None:
    today = utc_now().date()
    with app.app_context(), transaction():
        for first in (-400, 30):
            day = today + timedelta(days=first)
            ledger.record_purchase(Purchase(50, day, day + timedelta(days=100)), BOSS, utc_now())
    enter(app, 0)
    reading = enter(app, 20)

    assert rebase(app, reading, 20) == 0
    assert corrections(app) == []


def test_drift_in_two_readings_is_told_to_admins_until_it_ends(app: Flask) -> None:
    enter(app, 0, at=NOW)
    call(app, 1, at=NOW + MINUTE)
    enter(app, 10, at=NOW + 2 * MINUTE)
    assert notices(app) == [], "one reading may lag"

    enter(app, 11, at=NOW + 3 * MINUTE)
    assert notices(app) == [{"calls": 10, "more": 1}]
    enter(app, 12, at=NOW + 4 * MINUTE)
    assert len(notices(app)) == 1, "told once"

    for n in range(11):
        call(app, 10 + n, at=NOW + 5 * MINUTE)
    enter(app, 12, at=NOW + 6 * MINUTE)
    assert notices(app) == []


def test_a_drift_is_measured_by_the_calls_since_both_agreed(app: Flask) -> None:
    """Years of agreement hide nobody who begins to use the AppCode elsewhere."""
    enter(app, 0, at=NOW - 4 * DAY)
    with app.app_context(), transaction():
        counters.count(Dimensions("match", "yes", "desk", 2, 0, 1, 0, ""), NOW - 2 * DAY, +2_000)
    enter(app, 2_000, at=NOW)
    assert standing(app).comparison.verdict is Verdict.AGREED

    for minutes in (1, 2):
        enter(app, 2_010, at=NOW + minutes * MINUTE)

    assert notices(app) == [{"calls": 10, "more": 1}]


def test_a_drift_that_changes_its_side_is_told_anew(app: Flask) -> None:
    enter(app, 0, at=NOW)
    for minutes in (1, 2):
        enter(app, 10, at=NOW + minutes * MINUTE)
    assert notices(app) == [{"calls": 10, "more": 1}]
    for n in range(20):
        call(app, n, at=NOW + 3 * MINUTE)
    enter(app, 10, at=NOW + 4 * MINUTE)
    assert notices(app) == []
    enter(app, 10, at=NOW + 5 * MINUTE)
    assert notices(app) == [{"calls": 10, "more": 0}]


def test_five_calls_are_no_notice_and_rebasing_ends_one(app: Flask) -> None:
    enter(app, 0, at=NOW)
    enter(app, 5, at=NOW + MINUTE)
    enter(app, 5, at=NOW + 2 * MINUTE)
    assert notices(app) == []

    enter(app, 6, at=NOW + 3 * MINUTE)
    reading = enter(app, 7, at=NOW + 4 * MINUTE)
    assert len(notices(app)) == 1
    rebase(app, reading, 7)
    assert notices(app) == []
    enter(app, 14, at=NOW + 5 * MINUTE)
    assert notices(app) == [], "the reading before had another baseline"


def test_readings_are_recorded_with_their_source(app: Flask) -> None:
    reading = enter(app, 6700, 9115)

    [record] = records(app, Action.COUNTER_READ)
    assert (record.actor_id, record.object_id, record.success) == (ADMIN.id, reading, True)
    assert record.detail == {"source": "manual", "used": 6700, "total": 9115, "drift": 0}
