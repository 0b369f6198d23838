"""Mails of an end name what ends with that day and nothing else, however late they go out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.quota import books
from tests.quota.books import new_call
from tests.reminders.mailing import mail_of, text_of
from tests.reminders.story import TODAY, buy, days, episodes, lapse, messages, move_end, review, subscribe
from tests.support.cast import NOW
from webapp.foundation.database import db, transaction
from webapp.notify import composing, outbox
from webapp.notify.messages import Message, State
from webapp.quota import ledger
from webapp.quota.models import Lot
from webapp.reminders import mails

pytestmark = pytest.mark.usefixtures("context")

SEVENTH = TODAY + days(7)
SENDER = "yuliang@here.test"


def faulty(*_figures: object) -> bytes:
    raise KeyError("a fault in the words")


@pytest.fixture(params=["full", "short"], autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both forms of a mail."""
    if request.param == "short":
        monkeypatch.setattr(mails, "usage_picture", faulty)
    return str(request.param)


@pytest.mark.parametrize("gone", ["moved", "closed"])
def test_of_two_lots_of_one_day_only_the_one_that_still_ends_then_is_named(gone: str, form: str) -> None:
    subscribe()
    buy(100, ends=SEVENTH, order="A-1")
    other = buy(200, ends=SEVENTH, order="A-2")
    review()

    if gone == "moved":
        move_end(other, SEVENTH + days(30))
    else:
        books.close(other)
    mail = mail_of("zh_CN")

    assert "100 次" in str(mail["Subject"])
    assert ("300 次" in text_of(mail), "A-2 的套餐" in text_of(mail)) == (False, False)
    assert form == "short" or "订单 A-1 的套餐于 11月9日到期，尚余 100 次" in text_of(mail)


@pytest.mark.parametrize("written_off", [False, True])
def test_a_mail_that_goes_out_after_the_end_names_what_was_left_then(written_off: bool) -> None:
    """Found with 100 left; 60 of them were used before the day was over."""
    subscribe()
    lot = buy(100, ends=SEVENTH, order="A-1")
    review()
    with transaction() as session:
        session.execute(update(Lot).where(Lot.id == lot).values(available=40, charged=60))
    after = NOW + days(8)
    if written_off:
        lapse(after)
        review(after)

    with transaction() as session:
        message = session.get_one(Message, messages()[-1].id)
        session.expunge(message)
    content = composing.compose(message, after)

    assert "40 次" in content.subject
    assert "100 次已" not in content.text
    assert "40 次" in content.text


def test_after_the_end_nothing_is_told_of_a_lot_that_was_used_up() -> None:
    subscribe()
    lot = buy(100, ends=SEVENTH)
    review()
    with transaction() as session:
        session.execute(update(Lot).where(Lot.id == lot).values(available=0, charged=100))
    after = NOW + days(8)

    assert outbox.take(after, SENDER) is None  # found by whoever takes it first, or by the next look
    review(after)

    assert [one.closed for one in episodes()] == ["emptied"]
    assert [(one.state, one.reason) for one in messages("reminder.expiry")] == [("dropped", "emptied")]


@pytest.mark.parametrize(
    ("taken_back", "why"),
    [(lambda lot, day: books.change(lot, day, expires_on=SEVENTH + days(60)), "moved"), (books.close, "lot_closed")],
)
def test_an_end_that_had_come_and_was_taken_back_is_not_told(taken_back: Callable[..., object], why: str) -> None:
    """The mail still waits, for want of a server; its lot is then extended, or closed."""
    subscribe()
    lot = buy(100, ends=SEVENTH)
    review()
    after = NOW + days(8)
    lapse(after)
    review(after)
    assert [(one.closed, [each.state for each in messages()]) for one in episodes()] == [("expired", ["queued"])]

    taken_back(lot, TODAY + days(8))
    [message] = messages()
    assert composing.pointless(message, after) == why, "also where it is taken before the next look"
    review(after + timedelta(minutes=1))

    assert [(one.state, one.reason) for one in messages()] == [("dropped", why)]
    assert [one.closed for one in episodes()] == [why]


def test_calls_on_their_way_are_named_where_they_are_all_that_is_left() -> None:
    subscribe()
    buy(1, ends=SEVENTH)
    buy(100)
    review()
    with transaction():
        ledger.hold(new_call(), TODAY, NOW)

    assert "1 次" in str(mail_of("zh_CN")["Subject"])


def test_what_ended_more_than_a_month_ago_is_not_mailed_any_more() -> None:
    subscribe()
    buy(100, ends=SEVENTH)
    review()
    ended = NOW + days(8)
    lapse(ended)
    review(ended)
    assert [one.closed for one in episodes()] == ["expired"]
    [message] = messages()

    assert composing.pointless(message, NOW + days(7 + 30)) == ""
    assert composing.pointless(message, NOW + days(7 + 31)) == "too_late"
    assert outbox.take(NOW + days(365), SENDER) is None

    assert [(one.state, one.reason) for one in messages()] == [("dropped", "too_late")]


def test_it_is_dropped_by_the_look_too_where_no_mail_server_ever_takes_it() -> None:
    subscribe()
    buy(100, ends=SEVENTH)
    review()
    for at in (NOW + days(8), NOW + days(37)):
        lapse(at)
        review(at)
        assert [one.state for one in messages()] == ["queued"]

    review(NOW + days(38) + timedelta(minutes=1))

    assert [(one.state, one.reason) for one in messages()] == [("dropped", "too_late")]
    assert [one.closed for one in episodes()] == ["too_late"]
    db.session.rollback()


def test_what_was_sent_stays_sent() -> None:
    subscribe()
    buy(100, ends=SEVENTH)
    review()
    with transaction() as session:
        session.execute(update(Message).values(state=State.SENT))
    review(NOW + days(8))
    review(NOW + days(400))

    assert [one.state for one in messages()] == ["sent"]
