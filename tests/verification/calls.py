"""Calls of the verification tests: people nobody is, replies, and a look into the database from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from flask import Flask
from sqlalchemy import Engine, NullPool, create_engine, event, select, text
from sqlalchemy.orm import Session

from tests.support.cast import OPERATOR, Member
from webapp.audit.trail import Who
from webapp.checking import check_everything
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.persons.id_numbers import check_character
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.vendor.contract import Billed, Cause, Outcome, Reply
from webapp.verification import operations
from webapp.verification.models import Verification
from webapp.verification.operations import Asked, Call

FIRST, LAST = date(2020, 1, 1), date(2099, 12, 31)
MATCH = Reply(Outcome.MATCH, Billed.YES, code="0000", http_status=200)
REFUSED = Reply(Outcome.REFUSED, Billed.NO, Cause.QUOTA_EXHAUSTED, code="B403MQ", http_status=403)
UNKNOWN = Reply(Outcome.UNKNOWN, Billed.UNKNOWN, Cause.NO_ANSWER)
_HAN = "测试演练甲乙丙丁戊己"


def somebody(n: int) -> tuple[str, str]:
    """The n-th of 100,000 people that nobody is: name and number (a region that was never assigned)."""
    name = "众" + "".join(_HAN[int(digit)] for digit in f"{n:05}")
    first17 = f"100101{1950 + n // 1000 % 50}{1 + n // 100 % 12:02}{1 + n // 10 % 28:02}{n % 1000:03}"
    return name, first17 + check_character(first17)


def who(member: Member = OPERATOR) -> Who:
    return Who(member.id, member.name)


def ask(
    app: Flask, person: tuple[str, str], call: Call | None = None, *,
    by: Member = OPERATOR, clock: Callable[[], datetime] = utc_now, reference: str = "",
) -> int:  # fmt: skip
    """Spends one call in an app context of its own, as a request does; `call`: by default the app's own vendor."""
    with app.app_context():
        asked = Asked(*person, purpose_id=1, consent=True, reference=reference)
        return operations.verify(asked, who(by), this_instance(), call or app.extensions["vendor"].ready(), clock)


def ask_at_last(app: Flask, person: tuple[str, str], call: Call | None = None) -> int:
    """As `ask`; a slow machine may be too busy for all at once: nothing was sent then, so one asks again."""
    while True:
        try:
            return ask(app, person, call)
        except operations.NotBegun:
            continue


def buy(app: Flask, calls: int) -> int:
    """Records a lot that is valid for long; returns its number."""
    with app.app_context(), transaction():
        return ledger.record_purchase(Purchase(calls, FIRST, LAST), who(), utc_now()).id


def give_up(app: Flask, now: datetime) -> int:
    """What the job does at `now`; how many calls were given up."""
    with app.app_context():
        done = 0
        while operations.abandon_one(this_instance(), now):
            done += 1
        return done


def verification(app: Flask, number: int) -> Verification:
    """The stored fact."""
    with app.app_context():
        return db.session.get_one(Verification, number)


def outcomes(app: Flask) -> Counter[tuple[str, str, str | None]]:
    """How many verifications are stored with each (outcome, billed, cause)."""
    with app.app_context():
        columns = (Verification.outcome, Verification.billed, Verification.cause)
        return Counter((str(row[0]), str(row[1]), row[2]) for row in db.session.execute(select(*columns)))


def lot_figures(app: Flask, lot: int) -> tuple[int, int, int]:
    """(available, held, charged)"""
    with app.app_context():
        found = db.session.get_one(Lot, lot)
        return found.available, found.held, found.charged


def differences(app: Flask, locale: str = "en", now: datetime | None = None) -> list[str]:
    """What `yuliang check` finds, by default now."""
    with app.app_context():
        return check_everything(now, locale)


@contextmanager
def before_each_commit(app: Flask, listener: Callable[[Session], None]) -> Iterator[None]:
    """Calls `listener` before every commit of any thread."""
    with app.app_context():
        sessions = db.session
    event.listen(sessions, "before_commit", listener)
    try:
        yield
    finally:
        event.remove(sessions, "before_commit", listener)


@contextmanager
def outside(database: str) -> Iterator[Callable[[str], Any]]:
    """A connection that is none of the app's; called with SQL it gives the first value."""
    engine: Engine = create_engine(database, poolclass=NullPool)
    try:
        with engine.connect() as connection:

            def scalar(statement: str) -> Any:
                value = connection.execute(text(statement)).scalar()
                connection.rollback()
                return value

            yield scalar
    finally:
        engine.dispose()
