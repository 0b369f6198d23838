"""What the reminder tests tell: lots, calls that are used up, people on the list, and what was written to them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select

from tests.quota.books import WHO, new_call
from tests.support.cast import ADMIN, NOW, Member
from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, must_write, transaction
from webapp.foundation.instance import this_instance
from webapp.notify.messages import Message
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.reminders import operations, recipients
from webapp.reminders.models import Episode
from webapp.scheduler import JOBS

LAPSE = next(job for job in JOBS if job.name == "write off expired calls")
TODAY = date(2026, 11, 2)
"""NOW's day in the reporting zone."""


def subscribe(member: Member = ADMIN, locale: str = "zh_CN", now: datetime = NOW) -> None:
    """Puts a member of the cast on the list."""
    with transaction() as session:
        recipients.subscribe(session.get_one(User, member.id), locale, SYSTEM, now)


def add_confirmed(email: str, locale: str = "en", now: datetime = NOW) -> None:
    """Puts an outside address on the list that has confirmed."""
    with transaction():
        recipient = recipients.add(email, locale, SYSTEM, now)
        assert recipients.confirm(recipient.mark, int(now.timestamp()), SYSTEM, now)


def buy(
    calls: int, ends: date = date(2027, 10, 31), order: str = "", now: datetime = NOW,
    begins: date = date(2026, 10, 31),
) -> int:  # fmt: skip
    """Records a lot, as an admin would at `now`."""
    with transaction():
        purchase = Purchase(calls, begins, ends, None, order)
        return ledger.record_purchase(purchase, WHO, now).id


def use(calls: int, now: datetime = NOW) -> None:
    """Uses calls up, and lets the check run that follows each of them."""
    today = day_of(now, this_instance().settings.zone)
    with transaction():
        for _each in range(calls):
            call = new_call()
            ledger.charge(call, ledger.hold(call, today, now), now)
    operations.call_settled(now)


def move_end(lot_id: int, ends: date) -> None:
    """Corrects the last valid day of a lot."""
    with transaction():
        must_write().get_one(Lot, lot_id).expires_on = ends


def review(now: datetime = NOW) -> None:
    """The check of the minute."""
    assert operations.review(this_instance(), now) is False


def lapse(now: datetime) -> None:
    """The job that writes off what has ended."""
    while LAPSE.function(this_instance(), now):
        pass


def episodes() -> list[Episode]:
    """All episodes, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Episode).order_by(Episode.id).execution_options(populate_existing=True)))


def messages(kind: str = "reminder") -> list[Message]:
    """All messages of a kind, oldest first."""
    db.session.rollback()
    query = select(Message).where(Message.kind.startswith(kind)).order_by(Message.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def days(count: float) -> timedelta:
    return timedelta(days=count)
