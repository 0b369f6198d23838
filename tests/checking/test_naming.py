"""`yuliang check` on a busy database: nothing is named while it is healthy, and each change behind its back is."""

# ruff: noqa: S608  # SQL of our own, with numbers of our own
from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN
from tests.support.tampering import behind
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, ask, buy, differences, somebody, who
from webapp.audit.trail import Who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import append_only, ledger, operations
from webapp.quota.ledger import Purchase
from webapp.quota.models import EntryKind, LedgerEntry
from webapp.reconciliation import opening
from webapp.reconciliation import operations as reconciliation
from webapp.usage import counters
from webapp.verification import settling
from webapp.verification.models import Decision

BOSS: Who = who(ADMIN)
WHY = "对账单"
UNGUARDED = "the database does not guard the ledger: {} is missing, or not as it was made"
OPENED, REFUNDED, REOPENED, CLOSED, LAPSED, MOVED = range(1, 7)
"""The lots of a busy database, by number."""


@pytest.fixture
def busy(app: Flask) -> Flask:
    """Every kind of entry, every kind of call, two readings; half of the counts folded."""
    uncovered = [ask(app, somebody(n), lambda *_, reply=reply: reply) for n, reply in ((1, MATCH), (2, REFUSED))]
    with app.app_context():
        instance, now = this_instance(), utc_now()
        today = day_of(now, instance.settings.zone)
        opening.record([Purchase(20, today, date(2090, 1, 1), 600, used_before=5)], BOSS, instance, now)
        for bought_on, calls, expires_on in (
            (today, 10, date(2099, 1, 1)), (today, 4, date(2099, 1, 1)), (today, 6, date(2099, 1, 1)),
            (date(2020, 1, 1), 7, date(2021, 1, 1)), (today, 9, date(2099, 1, 1)),
        ):  # fmt: skip
            with transaction():
                operations.record(Purchase(calls, bought_on, expires_on, 300, "", "note"), BOSS, now)
        with transaction():
            assert ledger.lapse_expired(today, now)
            ledger.correct(OPENED, 2, WHY, BOSS, now)
            ledger.correct(OPENED, -1, WHY, BOSS, now)
            ledger.use_elsewhere(MOVED, -2, WHY, BOSS, now)
            ledger.use_elsewhere(MOVED, 1, WHY, BOSS, now)
            operations.refund(REFUNDED, 3, 90, WHY, BOSS, today, now)
            operations.close(REOPENED, WHY, BOSS, today, now)
            operations.reopen(REOPENED, WHY, BOSS, today, now + timedelta(seconds=1))
            operations.close(CLOSED, WHY, BOSS, today, now)
        for expires_on in (today - timedelta(days=1), date(2099, 6, 1)):
            with transaction():
                facts = replace(operations.facts_of(ledger.locked(MOVED)), bought_on=date(2020, 2, 2))
                operations.change_facts(MOVED, replace(facts, expires_on=expires_on), WHY, BOSS, today, now)
        counters.fold(instance.settings.zone)
    for n, reply in enumerate((MATCH, MATCH, REFUSED, UNKNOWN, UNKNOWN, UNKNOWN), start=3):
        ask(app, somebody(n), lambda *_, reply=reply: reply)
    with app.app_context():
        for call, decision in ((6, Decision.CHARGED), (7, Decision.NOT_CHARGED), (8, Decision.ASK_AGAIN)):
            settling.settle(call, decision, WHY, BOSS, instance, utc_now())
        reconciliation.enter(11, 20, BOSS, instance, utc_now())
    assert uncovered == [1, 2]
    return app


def test_nothing_is_named_of_a_healthy_database(busy: Flask) -> None:
    with busy.app_context():
        assert set(db.session.scalars(select(LedgerEntry.kind))) == set(EntryKind)
        uncovered = select(LedgerEntry.kind).where(LedgerEntry.lot_id.is_(None)).order_by(LedgerEntry.id)
        assert db.session.scalars(uncovered).all() == ["hold", "charge", "hold", "release"]

    assert differences(busy) == []


HOLD = "kind = 'hold' AND verification_id = 3"
CHARGE = "kind = 'charge' AND verification_id = 3"
PLANTED = {
    "a lot is gone": (
        "DELETE FROM lot WHERE id = 1", "lot 1 is missing: 16 ledger entries name it"),
    "a lot is gone with all that names it": (
        f"DELETE FROM ledger_entry WHERE lot_id = {CLOSED}; DELETE FROM lot WHERE id = {CLOSED}",
        f"lot {CLOSED} is missing: 0 ledger entries name it"),
    "an entry on a lot that does not exist": (
        "INSERT INTO ledger_entry (at, kind, lot_id, change, available_after, reason) "
        "VALUES ('2026-11-02 04:00:00.000000', 'purchase', 999, 5, 5, '')",
        "lot 999 is missing: 1 ledger entries name it"),
    "a charge on no lot and of no verification": (
        "INSERT INTO ledger_entry (at, kind, change, available_after, reason) "
        "VALUES ('2026-11-02 04:00:00.000000', 'charge', 0, 0, '')",
        "(Charge, lot –) changes 0 calls: that cannot be its kind"),
    "an entry of a verification that does not exist": (
        "INSERT INTO ledger_entry (at, kind, change, available_after, verification_id, reason) "
        "VALUES ('2026-11-02 04:00:00.000000', 'charge', 0, 0, 999, '')",
        "belongs to verification 999, which does not exist"),
    "a verification is gone, its entries stay": (
        "DELETE FROM verification WHERE id = 3", "belongs to verification 3, which does not exist"),
    "a call without a lot gets one back": (
        "UPDATE ledger_entry SET change = 1 WHERE lot_id IS NULL AND kind = 'release'",
        "(Release, lot –) changes 1 calls: that cannot be its kind"),
    "a hold that takes nothing, made up for in purchase and size": (
        f"UPDATE ledger_entry SET change = 0 WHERE {HOLD}; "
        "UPDATE ledger_entry SET change = change - 1 WHERE kind = 'purchase' AND lot_id = 1; "
        "UPDATE lot SET calls = calls - 1 WHERE id = 1", "(Hold, lot 1) changes 0 calls: that cannot be its kind"),
    "a charge that takes one, another that gives it back": (
        f"UPDATE ledger_entry SET change = -1 WHERE {CHARGE}; "
        "UPDATE ledger_entry SET change = 1 WHERE kind = 'charge' AND verification_id = 4",
        "(Charge, lot 1) changes -1 calls: that cannot be its kind"),
    "calls used elsewhere become a correction": (
        f"UPDATE ledger_entry SET kind = 'correction' WHERE kind = 'used_elsewhere' AND lot_id = {MOVED}",
        "(Correction, lot 6) is not as the audit trail recorded it"),
    "a reason of what was used elsewhere": (
        "UPDATE ledger_entry SET reason = 'another' WHERE kind = 'used_elsewhere'",
        "(Used elsewhere, lot 6) is not as the audit trail recorded it"),
    "what was left after": (
        f"UPDATE ledger_entry SET available_after = available_after + 100 WHERE {CHARGE}",
        "(Charge, lot 1) says that 115 calls were left: by the entry before it there were 15"),
    "an expired lot that has calls": (
        "UPDATE lot SET expires_on = '2026-01-01', bought_on = '2025-01-01' WHERE id = 1",
        "lot 1 expired on 2026-01-01, but 12 calls of it have not lapsed"),
    "a lapse by another name": (
        "UPDATE ledger_entry SET kind = 'write_off' WHERE kind = 'lapse' AND lot_id = 5",
        "writes calls of lot 5 off, which nobody ever closed"),
    "a write-off by another name": (
        f"UPDATE ledger_entry SET kind = 'lapse' WHERE kind = 'write_off' AND lot_id = {CLOSED}",
        f"lot {CLOSED}: the ledger lacks what the audit trail recorded at"),
    "a hold that is dated after its charge": (
        f"UPDATE ledger_entry SET at = '2030-01-01 00:00:00.000000' WHERE {HOLD}",
        "verification 3 was held at another time than it was made"),
    "a charge that is dated long before": (
        f"UPDATE ledger_entry SET at = '2020-01-01 00:00:00.000000' WHERE {CHARGE}",
        "verification 3 was charged or released at another time than its answer or decision"),
    "a charge that somebody is said to have decided": (
        f"UPDATE ledger_entry SET actor_id = 1, reason = 'bill' WHERE {CHARGE}",
        "verification 3 was charged or released at another time than its answer or decision"),
    "a decision's reason": (
        "UPDATE ledger_entry SET reason = 'other' WHERE kind = 'charge' AND verification_id = 6",
        "verification 6 was charged or released at another time than its answer or decision"),
    "a lot's price": (
        "UPDATE lot SET price_fen = price_fen * 2 WHERE id = 1",
        "lot 1, price in CNY 0.01: stored 1200, by the audit trail 600"),
    "a lot's refund": (
        f"UPDATE lot SET refunded_fen = 0 WHERE id = {REFUNDED}",
        f"lot {REFUNDED}, refunds in CNY 0.01: stored 0, by the audit trail 90"),
    "a lot's last day": (
        f"UPDATE lot SET expires_on = '2099-06-02' WHERE id = {MOVED}",
        f"lot {MOVED}, last valid day: stored 2099-06-02, by the audit trail 2099-06-01"),
    "a lot's closing": (
        f"UPDATE lot SET closed_at = NULL WHERE id = {CLOSED}", f"lot {CLOSED}, time of closing: stored –"),
    "a correction's reason": (
        "UPDATE ledger_entry SET reason = 'other' WHERE kind = 'correction' AND change = 2",
        "(Correction, lot 1) is not as the audit trail recorded it"),
    "who bought": (
        "UPDATE ledger_entry SET actor_id = 3 WHERE kind = 'purchase' AND lot_id = 1",
        "lot 1: the ledger lacks what the audit trail recorded at"),
    "a lot that nobody recorded": (
        "INSERT INTO lot (calls, bought_on, expires_on, order_number, available, held, charged, lapsed, recorded_at) "
        "VALUES (5, '2026-01-01', '2099-01-01', '', 5, 0, 0, 0, '2026-11-02 04:00:00.000000')",
        "lot 7 stands in no record of the audit trail"),
    "a reading that cannot be": (
        "INSERT INTO meter_reading (at, source, used, total, remaining, request_id, charged, unknown, under_way, drift)"
        " VALUES ('2026-11-02 04:00:00.000000', 'manual', 10, 5, -5, '', 0, 0, 0, 0)",
        "reading 3: 10 used of a total of 5 cannot be"),
    "what a reading has left": (
        "UPDATE meter_reading SET remaining = 99 WHERE id = 2",
        "reading 2: remaining is 99, but total less used is 9"),
    "a reading's drift": (
        "UPDATE meter_reading SET drift = 99 WHERE id = 2", "reading 2: the stored drift is 99, by its figures it is "),
    "a reading that is compared with none": (
        "UPDATE meter_reading SET baseline_id = NULL WHERE id = 2",
        "reading 2 was compared with no reading and begins no comparing"),
    "a reading that is compared with itself": (
        "UPDATE meter_reading SET baseline_id = 2 WHERE id = 2",
        "reading 2 was compared with reading 2, from which no comparing began"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_changed_behind_the_back_is_named(busy: Flask, planted: str) -> None:
    statements, named = PLANTED[planted]

    behind(busy, *statements.split("; "))

    found = differences(busy)
    assert any(named in one for one in found), found


@pytest.mark.parametrize("name", ["ledger_entry_is_not_changed", "ledger_entry_is_not_removed"])
def test_a_guard_that_was_taken_away_or_weakened_is_named(busy: Flask, name: str) -> None:
    guards = guards_of(busy)
    drop = f"DROP TRIGGER {name}" + (" ON ledger_entry" if "ledger_entry_stands" in guards else "")
    weak = guards[name].replace("BEFORE UPDATE", "AFTER UPDATE").replace("BEFORE DELETE", "AFTER DELETE")

    execute(busy, drop)
    gone = differences(busy)
    execute(busy, weak)
    weakened = differences(busy)

    # On PostgreSQL the next test has the same tables.
    execute(busy, drop)
    execute(busy, guards[name])
    assert gone == weakened == [UNGUARDED.format(name)]
    assert differences(busy) == []


def test_a_guard_that_does_nothing_any_more_is_named(busy: Flask) -> None:
    name = "ledger_entry_stands" if "ledger_entry_stands" in guards_of(busy) else "ledger_entry_is_not_replaced"
    made, drop = guards_of(busy)[name], f"DROP TRIGGER {name}"
    hollow = made.replace("BEGIN IF", "BEGIN RETURN NULL; IF").replace("BEGIN SELECT", "BEGIN SELECT 1; SELECT")
    replaced = [drop, hollow] if hollow.startswith("CREATE TRIGGER") else [hollow]
    for statement in replaced:
        execute(busy, statement)

    found = differences(busy)

    for statement in [*replaced[:-1], made]:
        execute(busy, statement)
    assert found == [UNGUARDED.format(name)]
    assert differences(busy) == []


def test_a_leave_that_somebody_stored_is_named(busy: Flask) -> None:
    execute(busy, "INSERT INTO ledger_leave (id) VALUES (1)")
    found = differences(busy)
    execute(busy, "DELETE FROM ledger_leave")
    assert found == ["the database does not guard the ledger: 1 rows of ledger_leave let anybody remove entries"]


def guards_of(app: Flask) -> dict[str, str]:
    kind = "postgresql" if app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql") else "sqlite"
    return append_only.GUARDS[kind]


def execute(app: Flask, statement: str) -> None:
    with app.app_context(), transaction() as session:
        # SQLite only looks at its schema anew when it reads: a trigger dropped by another connection still "exists".
        session.connection().exec_driver_sql("SELECT count(*) FROM lot")
        session.connection().exec_driver_sql(statement)


def test_it_is_said_in_chinese_too(busy: Flask) -> None:
    behind(busy, "UPDATE lot SET price_fen = 1200 WHERE id = 1", "DELETE FROM verification WHERE id = 3")

    found = differences(busy, "zh_CN")

    assert found
    assert all(max(one) >= "一" for one in found), found


def test_records_that_were_dropped_make_no_difference(busy: Flask) -> None:
    """What the trail does not hold any more cannot contradict."""
    behind(busy, "DELETE FROM audit_record WHERE object_type = 'lot' AND action = 'lot_recorded'",
           "INSERT INTO audit_checkpoint (number, last_id, records, key_id, head, seal, dropped_at) "
           "VALUES (1, 1, 1, 'k', '', '', '2026-11-02 04:00:00.000000')")  # fmt: skip

    assert differences(busy) == []


def test_practice_that_was_cleared_is_missed_by_nobody(busy: Flask) -> None:
    behind(busy, "INSERT INTO audit_record (at, actor, action, object_type, success, address, request_id, detail) "
                 "VALUES ('2026-11-02 04:00:00.000000', 'yuliang', 'went_live', '', true, '', '', '{}')",
           "DELETE FROM ledger_entry WHERE lot_id = 4", "DELETE FROM lot WHERE id = 4")  # fmt: skip

    assert not [one for one in differences(busy) if "missing" in one]


def test_a_lot_that_anybody_may_still_write_off_tomorrow_is_no_difference(app: Flask) -> None:
    with app.app_context(), transaction():
        yesterday = day_of(utc_now(), this_instance().settings.zone) - timedelta(days=1)
        ledger.record_purchase(Purchase(3, yesterday, yesterday), BOSS, utc_now())
    buy(app, 5)

    assert differences(app) == []
