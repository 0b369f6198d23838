"""A clock that was ahead, and is right again: no end of a lot is lost by it, and none is told before its day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import current_app

from tests.quota import books
from tests.reminders.mailing import mail_of
from tests.reminders.story import TODAY, buy, days, episodes, lapse, messages, review, subscribe, use
from tests.support.cast import ADMIN, NOW
from webapp.foundation.database import db
from webapp.notify import composing, notices, outbox
from webapp.reminders import queries

pytestmark = pytest.mark.usefixtures("context")

MINUTE = timedelta(minutes=1)
SENDER = "yuliang@here.test"


def states() -> list[tuple[str, str]]:
    return [(one.state, one.reason) for one in messages()]


def said() -> list[str]:
    with current_app.test_request_context(headers={"Accept-Language": "en"}):
        return [one.text for one in notices.standing(ADMIN.id, "admin")]


@pytest.mark.parametrize(("ahead", "closed"), [(15, None), (22, "expired"), (60, "too_late")])
def test_an_end_that_was_seen_from_the_future_is_told_on_its_seventh_day(ahead: int, closed: str | None) -> None:
    subscribe()
    buy(100, ends=TODAY + days(20))
    review(NOW + days(ahead))
    assert [one.closed for one in episodes()] == [closed]
    assert bool(said()) == (closed == "too_late")

    for day in (0, 5, 12):
        review(NOW + days(day) + MINUTE)
        assert [one.closed for one in episodes()] == ["not_yet"]
        assert states() == ([("dropped", "not_yet")] if closed != "too_late" else [])
        assert said() == []
        assert [lot.expires_on for lot in queries.coming_lots(TODAY + days(day))] == [TODAY + days(20)]
    review(NOW + days(13) + MINUTE)

    assert [(one.closed, one.late, one.opened_at) for one in episodes()] == [(None, False, NOW + days(13) + MINUTE)]
    assert states() == [("queued", "")]
    assert mail_of("en", NOW + days(13))["Subject"] == "[Yuliang] A lot ends in 7 days: 100 calls will lapse (Nov 22)"


def test_what_waits_by_a_clock_ahead_is_not_sent_before_its_day_even_before_the_next_look() -> None:
    subscribe()
    buy(100, ends=TODAY + days(20))
    review(NOW + days(15))
    [message] = messages()

    assert composing.pointless(message, NOW) == "not_yet"
    assert outbox.take(NOW, SENDER) is None
    review(NOW + days(13) + MINUTE)

    assert states() == [("queued", "")]


@pytest.mark.parametrize(("ahead", "closed"), [(8, "expired"), (60, "too_late")])
def test_an_end_that_stands_outlives_a_clock_that_jumps_beyond_it_and_back(ahead: int, closed: str) -> None:
    """Nothing has lapsed: neither the mail nor the page may say so."""
    subscribe()
    buy(100, ends=TODAY + days(7))
    review()
    review(NOW + days(ahead))
    assert [one.closed for one in episodes()] == [closed]
    before_the_look = mail_of("en", NOW + MINUTE)["Subject"]
    review(NOW + 2 * MINUTE)

    assert before_the_look == "[Yuliang] A lot ends in 7 days: 100 calls will lapse (Nov 9)"
    assert [(one.closed, one.closed_at) for one in episodes()] == [(None, None)]
    assert states() == [("queued", "")]
    db.session.rollback()


@pytest.mark.parametrize("first", ["the lots", "the rules"])
def test_what_a_clock_ahead_let_lapse_comes_back_and_nobody_is_told_that_all_is_used_up(first: str) -> None:
    subscribe()
    lot = buy(100, ends=TODAY + days(200))
    use(10)
    review()
    ahead, right = NOW + days(300), NOW + MINUTE
    lapse(ahead)
    review(ahead)
    assert books.figures(lot) == (0, 0, 10, 90)

    for job in (lapse, review) if first == "the lots" else (review, lapse):
        job(right)

    assert books.figures(lot) == (90, 0, 10, 0)
    assert [one.rule for one in episodes() if one.closed is None] == []
    assert [one.kind for one in messages() if one.state != "dropped"] == []
    use(75, right)
    review(right)
    assert [(one.rule, one.total) for one in episodes() if one.closed is None] == [("low", 100)]


def expired_while_the_server_was_down() -> datetime:
    """An end that has come, and its mail that waits; returns that moment."""
    subscribe()
    buy(100, ends=TODAY + days(7))
    buy(1000)
    review()
    after = NOW + days(9)
    lapse(after)
    review(after)
    assert [(one.closed, *states()) for one in episodes()] == [("expired", ("queued", ""))]
    return after


@pytest.mark.parametrize(("wrong", "why"), [(NOW - days(1), "not_yet"), (NOW + days(49), "too_late")])
def test_a_mail_about_an_end_that_has_come_outlives_a_clock_that_is_wrong(wrong: datetime, why: str) -> None:
    after = expired_while_the_server_was_down()
    lapse(wrong)
    review(wrong)
    assert states() == [("dropped", why)]
    lapse(after + MINUTE)
    review(after + MINUTE)

    assert [one.closed for one in episodes()] == ["expired"]
    assert states() == [("queued", "")]
    assert said() == []


def test_a_mail_that_a_sender_dropped_by_a_clock_that_is_behind_comes_back() -> None:
    after = expired_while_the_server_was_down()
    assert outbox.take(NOW - days(1), SENDER) is None
    assert states() == [("dropped", "not_yet")]
    review(after + MINUTE)

    assert states() == [("queued", "")]
    review(after + days(40))
    assert states() == [("dropped", "too_late")]
    review(after + days(41))
    assert states() == [("dropped", "too_late")], "it is so by a clock that is right"
