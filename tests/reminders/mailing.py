"""Scenes whose mails the tests look at, and the mail a recipient would get."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlalchemy import update

from tests.reminders.story import TODAY, buy, lapse, messages, review, subscribe
from tests.support.cast import ADMIN, NOW, OPERATOR
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify.channels import mail
from webapp.notify.composing import compose
from webapp.quota.models import Lot
from webapp.reminders.queries import recipient_by_email
from webapp.usage import counters
from webapp.usage.dimensions import Dimensions


def used_each_day(calls: int, today_too: int = 0) -> None:
    """The counters of the last 30 days: a little more on one of them, so that there is a most."""
    for back in range(30):
        count = today_too if back == 0 else calls
        if count:
            count_used(back, count)


def count_used(back: int, calls: int) -> None:
    used, at = Dimensions("match", "yes", "desk", OPERATOR.id, 0, 1, 0), NOW - timedelta(days=back)
    with transaction() as session:
        counters.add_up(session, [(at, used, None, calls)], this_instance().settings.zone)


def _on_the_list() -> None:
    if recipient_by_email(ADMIN.email) is None:
        subscribe()
    db.session.rollback()


def scene_low(*, remaining: int, total: int, calls_a_day: int) -> None:
    """A lot of `total` calls of which `remaining` are left, and the episode that belongs to it."""
    _on_the_list()
    used_each_day(calls_a_day)
    lot = buy(total, order="2026-1031-A")
    leave(lot, remaining, total)
    review()


def scene_expiry(*, left: int, elsewhere: int, calls_a_day: int, order: str) -> None:
    """A lot that ends in seven days with `left` calls, beside another with `elsewhere`."""
    _on_the_list()
    used_each_day(calls_a_day)
    lot = buy(max(left, 10) * 4, ends=TODAY + timedelta(days=7), order=order)
    leave(lot, left, max(left, 10) * 4)
    if elsewhere:
        buy(elsewhere)
    review()


def leave(lot: int, left: int, total: int) -> None:
    """Lets so many of a lot's calls be left."""
    with transaction() as session:
        session.execute(update(Lot).where(Lot.id == lot).values(available=left, charged=total - left))


def mail_of(locale: str, now: datetime = NOW, to: str = ADMIN.email) -> EmailMessage:
    """The newest reminder to an address as it goes over the wire in a language at `now`, read back."""
    today = day_of(now, this_instance().settings.zone)
    if today > TODAY + timedelta(days=7):
        lapse(now)
        review(now)
    message = [one for one in messages() if one.address == to][-1]
    db.session.expunge(message)
    message.locale = locale
    content = compose(message, now)
    raw = mail.envelope_bytes(content, "yuliang@here.test", to, "<id@here.test>", now)
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(mail: EmailMessage) -> str:
    """Its plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    """Its HTML."""
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())
