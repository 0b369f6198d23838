"""An instance with something to see on every page: each outcome once, lots in every state, the longest texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.support.cast import OPERATOR, hire
from webapp import create_app
from webapp.accounts.models import Role
from webapp.accounts.operations import Profile, create_user
from webapp.audit.trail import SYSTEM, Who
from webapp.configuration import rotation
from webapp.configuration.key_models import KeyRotation, KeyRotationPart
from webapp.foundation import schema
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import deductions, ledger
from webapp.quota import operations as operations_on_lots
from webapp.quota.deduction_rules import Rule
from webapp.quota.ledger import Purchase
from webapp.settings import read_settings
from webapp.vendor.contract import UNTIL_SOMEONE_ACTS, Billed, Cause, Derived, Outcome, Reply
from webapp.vendor.sandbox.people import PEOPLE
from webapp.verification import operations
from webapp.verification.operations import Asked

LONG_NAMED = max(PEOPLE, key=lambda person: len(person.name))
LONGEST = "W" * 80
"""As long as names, departments, references and order numbers may be, and nowhere to break."""
KNOWN = Derived("演练省", "演练市", "演练县", "19900308", "F", "36")
REQUEST_ID = "5F4DCC3B-AA76-4D61-8327-DEB882CF99AA"
REPLIES = (
    Reply(Outcome.MATCH, Billed.YES, code="0000", derived=KNOWN),
    Reply(Outcome.MISMATCH, Billed.YES, code="0008", derived=KNOWN),
    Reply(Outcome.NO_SUCH_NUMBER, Billed.YES, code="0007"),
    Reply(Outcome.INVALID_INPUT, Billed.YES, Cause.NAME_SPECIAL, code="0002"),
    Reply(Outcome.MAINTENANCE, Billed.YES, code="0010"),
    Reply(Outcome.REFUSED, Billed.NO, Cause.QUOTA_EXHAUSTED, stop=UNTIL_SOMEONE_ACTS, code="B403MQ", http_status=403),
    Reply(Outcome.UNKNOWN, Billed.UNKNOWN, Cause.VENDOR_TIMEOUT, code="D504TO", http_status=504),
    Reply(Outcome.UNEXPECTED, Billed.YES, Cause.UNKNOWN_CODE, code="0005", raw=b'{"respCode": "0005"}'),
)
CARDS = range(1, len(REPLIES) + 2)
"""The verifications of OPERATOR: one for each reply, in order, then one under way."""


CARDS_OF_EACH_TONE = (1, 2, 3, 8, 9)
"""Good, bad, warning; unexpected, with the answer kept for an admin; under way."""


def fill(instance: Path) -> None:
    """Makes the instance; nothing may serve it yet."""
    # A long deadline: the call under way must not be given up while its page is looked at.
    environ = {"YULIANG_INSTANCE": str(instance), "YULIANG_LIMITS": "", "YULIANG_VENDOR_DEADLINE": "600"}
    instance.mkdir(parents=True)
    app = create_app(read_settings(environ))
    with app.app_context():
        now = utc_now()
        schema.migrate(now)
        hire()
        with transaction():
            long_named = create_user(
                Profile(LONGEST, f"{LONGEST[:60]}@{LONGEST}.test", Role.OPERATOR, LONGEST), LONGEST, SYSTEM, now
            )
        _buy(day_of(now, this_instance().settings.zone), now)
        _ask(Who(OPERATOR.id, OPERATOR.name), Who(long_named.id, long_named.name), now)
        _rotated(now)
        db.session.remove()
        db.engine.dispose()


def _rotated(now: datetime) -> None:
    """Keys were rotated, and a row was found that opens under none."""
    with transaction() as session:
        session.add(KeyRotation(id=1, data_key="k1", index_key="k1", started_at=now, promoted_at=now, finished_at=now))
        session.flush()
        for part in rotation.parts():
            done = KeyRotationPart(rotation_id=1, name=part.name, total=1234, done=1233, broken=1, finished_at=now)
            session.add(done)


def _buy(today: date, now: datetime) -> None:
    """Lots that are expired, in use, used up, not valid yet, and given back."""
    for bought, lasts, calls, order in ((400, 30, 500, ""), (10, 355, 5_000_000, LONGEST), (20, 30, 1, "A-1"),
                                        (-3, 365, 100, "A-2"), (5, 365, 40, "A-3")):  # fmt: skip
        day = today - timedelta(days=bought)
        with transaction():
            lot = ledger.record_purchase(Purchase(calls, day, day + timedelta(days=lasts), 3_000, order), SYSTEM, now)
    with transaction():
        ledger.lapse_expired(today, now)
        operations_on_lots.refund(lot.id, 30, 1_000, LONGEST, SYSTEM, today, now)
        deductions.change(Rule("0007", Billed.NO, now), LONGEST, SYSTEM, now)


def _ask(operator: Who, long_named: Who, now: datetime) -> None:
    """All calls are begun before any answer comes: some answers stop further calls."""
    instance, long_ago = this_instance(), now - timedelta(days=3)
    people = [person for person in PEOPLE if person != LONG_NAMED]
    made = [
        operations.begin(Asked(person.name, person.number, 1, True, LONGEST), operator, instance, now)
        for person, _number in zip(people, CARDS, strict=False)
    ]
    assert made == list(CARDS)
    asked = Asked(LONG_NAMED.name, LONG_NAMED.number, 1, True, LONGEST)
    earlier = operations.begin(asked, long_named, instance, long_ago)
    operations.finish(earlier, REPLIES[0], long_named, instance, long_ago)
    for number, reply in zip(made, REPLIES, strict=False):
        answer = replace(reply, request_id=REQUEST_ID, latency_ms=120, attempts=1)
        operations.finish(number, answer, operator, instance, now)
