"""A paid call: intent first, then the vendor with nothing open, then the outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.cast import NOW, OPERATOR
from tests.verification.calls import (
    MATCH,
    REFUSED,
    UNKNOWN,
    ask,
    buy,
    differences,
    give_up,
    lot_figures,
    outcomes,
    outside,
    somebody,
    verification,
    who,
)
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.notify.notices import Notice
from webapp.quota.models import EntryKind, LedgerEntry
from webapp.usage import queries as usage
from webapp.vendor.contract import Billed, Derived, Outcome, Reply
from webapp.verification import identities, operations
from webapp.verification.models import Identity
from webapp.verification.operations import GRACE, NotBegun

LOOKED = {
    "verification": "SELECT count(*) FROM verification WHERE outcome = 'sending' AND billed = 'unknown'",
    "identity": "SELECT count(*) FROM identity",
    "index": "SELECT count(*) FROM identity_index WHERE kind = 'number'",
    "hold": "SELECT count(*) FROM ledger_entry WHERE kind = 'hold'",
    "held": "SELECT held FROM lot",
    "left": "SELECT available FROM lot",
    "counted": "SELECT sum(calls) FROM usage_delta WHERE outcome = 'sending'",
    "audit": "SELECT count(*) FROM audit_record WHERE action = 'verification_sent'",
}


def test_the_intent_stands_in_the_database_before_the_vendor_is_called(app: Flask, database: str) -> None:
    buy(app, 10)
    seen: dict[str, int] = {}

    def vendor(_name: str, _number: str) -> Reply:
        with outside(database) as scalar:
            seen.update({what: int(scalar(statement) or 0) for what, statement in LOOKED.items()})
        return MATCH

    ask(app, somebody(1), vendor)

    expected = {"verification": 1, "identity": 1, "index": 1, "hold": 1, "held": 1, "left": 9, "counted": 1, "audit": 1}
    assert seen == expected


def test_nothing_is_open_in_the_database_while_the_vendor_is_called(app: Flask) -> None:
    open_then: list[tuple[int, bool]] = []

    def vendor(_name: str, _number: str) -> Reply:
        session = db.session()
        open_then.append((db.engine.pool.checkedout(), session.in_transaction()))  # type: ignore[attr-defined]
        return MATCH

    ask(app, somebody(1), vendor)

    assert open_then == [(0, False)]


def test_a_charged_answer_charges_the_held_call(app: Flask) -> None:
    lot = buy(app, 10)

    made = ask(app, somebody(1), lambda _name, _number: MATCH)

    row = verification(app, made)
    assert (row.outcome, row.billed, row.cause, row.vendor_code, row.http_status) == ("match", "yes", None, "0000", 200)
    assert (row.operator_id, row.lot_id, row.sending_person) == (OPERATOR.id, lot, None)
    assert lot_figures(app, lot) == (9, 0, 1)
    assert differences(app) == []


def test_a_refused_call_is_released(app: Flask) -> None:
    lot = buy(app, 10)

    ask(app, somebody(1), lambda _name, _number: REFUSED)

    assert lot_figures(app, lot) == (10, 0, 0)
    assert outcomes(app) == {("refused", "no", "quota_exhausted"): 1}
    assert differences(app) == []


def test_an_unknown_outcome_stays_held_and_an_admin_is_told(app: Flask) -> None:
    lot = buy(app, 10)

    made = ask(app, somebody(1), lambda _name, _number: UNKNOWN)

    assert lot_figures(app, lot) == (9, 1, 0)
    with app.app_context():
        notice = db.session.scalars(select(Notice)).one()
        assert (notice.role, notice.kind, notice.params) == ("admin", "unknown_outcome", {"id": made})
        assert usage.unknown_calls() == 1
    assert differences(app) == []


def test_a_call_that_no_lot_covers_is_made_and_counted_as_uncovered(app: Flask) -> None:
    made = ask(app, somebody(1), lambda _name, _number: MATCH)

    assert verification(app, made).lot_id is None
    with app.app_context():
        kinds = db.session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)).all()
    assert kinds == [EntryKind.HOLD, EntryKind.CHARGE]
    assert differences(app) == []


def test_every_paid_call_leaves_its_trail_and_nothing_personal_in_it(app: Flask) -> None:
    name, number = somebody(7)

    ask(app, (name, number), lambda _name, _number: MATCH, reference="案卷 42")

    with app.app_context():
        records = db.session.scalars(select(AuditRecord).where(AuditRecord.object_type == "verification")).all()
        assert [record.action for record in records] == [Action.VERIFICATION_SENT, Action.VERIFICATION_FINISHED]
        assert {record.actor_id for record in records} == {OPERATOR.id}
        said = " ".join(str(record.detail) + record.actor for record in records)
    assert not any(word in said for word in (name, number, "案卷"))


def test_the_person_is_stored_sealed_with_what_the_answer_adds(app: Flask, database: str) -> None:
    name, number = somebody(7)
    derived = Derived("演练省", "演练市", "演练县", number[6:14], "M", "40")
    reply = Reply(Outcome.MATCH, Billed.YES, derived=derived, raw=b'{"respCode":"0000"}')

    made = ask(app, (name, number), lambda _name, _number: reply, reference="案卷 42")

    with app.app_context():
        person = identities.open_person(made, this_instance().sealer)
        assert person is not None
        assert (person.name, person.number, person.reference) == (name, number, "案卷 42")
        assert (person.province, person.birthday, person.raw) == ("演练省", number[6:14], '{"respCode":"0000"}')
        sealed = db.session.get_one(Identity, made).sealed
    for word in (name, number, "案卷", "演练省", "respCode"):
        assert word.encode() not in sealed


def test_a_call_that_failed_before_it_was_recorded_is_not_made(app: Flask) -> None:
    called: list[str] = []

    def vendor(name: str, _number: str) -> Reply:
        called.append(name)
        return MATCH

    asked = operations.Asked(*somebody(1), purpose_id=99, consent=True)
    with app.app_context(), pytest.raises(NotBegun):
        operations.verify(asked, who(), this_instance(), vendor)

    assert called == []
    assert outcomes(app) == {}


def test_a_forgotten_call_becomes_unknown_after_its_deadline_and_stays_held(app: Flask) -> None:
    lot = buy(app, 10)
    made = begin(app, somebody(1))
    deadline = verification(app, made).deadline_at
    assert deadline == NOW + timedelta(seconds=20) + GRACE, "the vendor's deadline, and patience for the outcome"

    assert give_up(app, deadline - timedelta(seconds=1)) == 0
    assert give_up(app, deadline) == 1
    assert give_up(app, deadline) == 0

    row = verification(app, made)
    assert (row.outcome, row.billed, row.cause, row.finished_at) == ("unknown", "unknown", "abandoned", deadline)
    assert lot_figures(app, lot) == (9, 1, 0)
    assert differences(app) == []


def test_every_forgotten_call_is_given_up(app: Flask) -> None:
    for n in range(5):
        begin(app, somebody(n))

    assert give_up(app, NOW + timedelta(hours=1)) == 5
    assert outcomes(app) == {("unknown", "unknown", "abandoned"): 5}
    assert differences(app) == []


@pytest.mark.parametrize(
    ("reply", "figures", "stored"),
    [
        (MATCH, (9, 0, 1), ("match", "yes", None)),
        (REFUSED, (10, 0, 0), ("refused", "no", "quota_exhausted")),
        (UNKNOWN, (9, 1, 0), ("unknown", "unknown", "no_answer")),
    ],
)
def test_a_late_answer_still_counts_after_the_call_was_given_up(
    app: Flask, reply: Reply, figures: tuple[int, int, int], stored: tuple[str, str, str | None]
) -> None:
    lot = buy(app, 10)

    def vendor(_name: str, _number: str) -> Reply:
        assert give_up(app, NOW + timedelta(hours=1)) == 1
        return reply

    ask(app, somebody(1), vendor, clock=lambda: NOW)

    assert lot_figures(app, lot) == figures
    assert outcomes(app) == {stored: 1}
    assert differences(app) == []


def test_an_outcome_is_settled_once(app: Flask) -> None:
    lot = buy(app, 10)
    made = ask(app, somebody(1), lambda _name, _number: MATCH)

    for reply in (MATCH, REFUSED, UNKNOWN):
        with app.app_context():
            assert operations.finish(made, reply, who(), this_instance(), NOW) is False

    assert lot_figures(app, lot) == (9, 0, 1)
    assert outcomes(app) == {("match", "yes", None): 1}
    assert differences(app) == []


def test_an_unknown_that_the_vendor_itself_left_open_is_not_settled_by_the_client(app: Flask) -> None:
    made = ask(app, somebody(1), lambda _name, _number: UNKNOWN)

    with app.app_context():
        assert operations.finish(made, MATCH, who(), this_instance(), NOW) is False

    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 1}


def begin(app: Flask, person: tuple[str, str]) -> int:
    """Stores an intent at NOW whose process then forgets it."""
    with app.app_context():
        asked = operations.Asked(*person, purpose_id=1, consent=True)
        return operations.begin(asked, who(), this_instance(), NOW)
