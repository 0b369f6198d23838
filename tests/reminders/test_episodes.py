"""One reminder for each event, whoever looks and however often: opened, followed, closed, armed again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import current_app
from sqlalchemy import text, update

from tests.conftest import MakeApp
from tests.quota import books
from tests.reminders.story import (
    TODAY,
    add_confirmed,
    buy,
    days,
    episodes,
    lapse,
    messages,
    move_end,
    review,
    subscribe,
    use,
)  # fmt: skip
from tests.support.cast import ADMIN, AUDITOR, NOW
from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM
from webapp.foundation.database import must_write, transaction
from webapp.notify import notices
from webapp.quota import operations as quota
from webapp.quota.models import Lot
from webapp.reminders import operations, recipients
from webapp.reminders.queries import recipient_by_email

pytestmark = pytest.mark.usefixtures("context")

SEVENTH = TODAY + days(7)


def test_the_call_that_reaches_the_line_writes_one_message_to_each_recipient() -> None:
    subscribe(ADMIN)
    add_confirmed("boss@outside.test")
    buy(10)

    use(7)
    assert episodes() == []
    use(1)

    [episode] = episodes()
    assert (episode.rule, episode.remaining, episode.total, episode.late) == ("low", 2, 10, False)
    assert [(one.address, one.locale, one.state) for one in messages()] == [
        (ADMIN.email, "zh_CN", "queued"), ("boss@outside.test", "en", "queued")
    ]  # fmt: skip


def test_further_calls_and_checks_tell_nothing_more() -> None:
    subscribe()
    buy(10)
    for _each in range(10):
        use(1)
        review(NOW + timedelta(minutes=1))

    assert len(episodes()) == 1
    assert len(messages()) == 1


def test_a_purchase_that_lifts_it_closes_the_episode_and_drops_what_still_waits() -> None:
    subscribe()
    buy(10)
    use(9)

    buy(100, now=NOW + timedelta(minutes=5))

    assert (episodes()[0].closed, episodes()[0].closed_at) == ("renewed", NOW + timedelta(minutes=5))
    assert [(one.state, one.reason) for one in messages()] == [("dropped", "renewed")]


def test_after_a_purchase_the_next_fall_is_told_again_even_when_nobody_looked_between() -> None:
    subscribe()
    buy(10)
    use(8)
    buy(1)
    buy(5)
    use(5)

    assert [one.closed for one in episodes()] == ["renewed", None]
    assert len(messages()) == 2


def test_a_purchase_too_small_to_lift_it_tells_nothing_more() -> None:
    subscribe()
    buy(100)
    use(90)
    buy(5)
    review()
    use(3)

    assert [one.closed for one in episodes()] == [None]
    assert len(messages()) == 1


def test_a_lot_whose_end_lifts_the_share_arms_again() -> None:
    """900 of 11,000 are few; when the empty 10,000 end, 900 of 1,000 are many."""
    subscribe()
    buy(100, ends=TODAY + days(30))
    use(99)
    buy(10)
    assert len(episodes()) == 1

    later = NOW + days(31)
    lapse(later)
    review(later)
    use(8, later)

    assert [one.closed for one in episodes() if one.rule == "low"] == ["lots_changed", None]


def test_a_successor_of_the_same_size_that_was_bought_ahead_arms_again_when_it_begins() -> None:
    """Bought while the first stands low; on the day of the change, size and number of purchases are the same."""
    subscribe()
    buy(20, ends=TODAY + days(1))
    use(17)
    buy(20, begins=TODAY + days(2))
    review(NOW + timedelta(minutes=1))
    assert [one.closed for one in episodes() if one.rule == "low"] == [None], "nothing more can be used yet"

    later = NOW + days(2)
    lapse(later)
    review(later)
    use(17, later + timedelta(minutes=1))

    assert [one.closed for one in episodes() if one.rule == "low"] == ["renewed", None]
    assert [one.state for one in messages("reminder.low")] == ["dropped", "queued"]


def test_without_any_valid_lot_nothing_is_low() -> None:
    subscribe()
    review()
    use(3)

    assert episodes() == []


def test_who_joins_while_an_episode_stands_is_told_then_and_only_once() -> None:
    buy(10)
    use(9)
    assert messages() == []

    subscribe(now=NOW + timedelta(hours=1))
    review(NOW + timedelta(hours=1))
    review(NOW + timedelta(hours=2))

    assert len(messages()) == 1


def test_who_does_not_want_a_rule_is_not_told_of_it_and_who_has_not_confirmed_of_nothing() -> None:
    subscribe(ADMIN)
    subscribe(AUDITOR)
    with transaction():
        recipients.add("new@outside.test", "en", SYSTEM, NOW)
    auditor = recipient_by_email(AUDITOR.email)
    assert auditor is not None
    with transaction():
        recipients.choose(auditor.id, low=False, expiry=True, locale="en", who=SYSTEM, now=NOW)
    buy(10, ends=SEVENTH)

    use(9)
    review()

    told = {(one.kind, one.address) for one in messages()}
    assert told == {
        ("reminder.low", ADMIN.email), ("reminder.expiry", ADMIN.email), ("reminder.expiry", AUDITOR.email)
    }  # fmt: skip


def test_a_user_who_was_switched_off_is_not_told() -> None:
    subscribe(AUDITOR)
    with transaction() as session:
        session.execute(update(User).where(User.id == AUDITOR.id).values(active=False))
    buy(10)
    use(9)

    assert messages() == []


def test_a_lot_is_told_from_the_seventh_day_before_its_last_day_and_once() -> None:
    subscribe()
    buy(500, ends=SEVENTH + days(1), order="A-1")
    review()
    assert episodes() == []

    for hours in (24, 25, 48, 120):
        review(NOW + timedelta(hours=hours))

    [episode] = episodes()
    assert (episode.rule, episode.ends_on, episode.remaining, episode.late) == ("expiry", SEVENTH + days(1), 500, False)
    assert len(messages()) == 1


def test_two_lots_that_end_on_one_day_are_told_in_one_message_and_a_third_recorded_later_in_another() -> None:
    subscribe()
    buy(500, ends=SEVENTH)
    buy(300, ends=SEVENTH)
    review()
    assert [one.remaining for one in episodes()] == [800]

    buy(50, ends=SEVENTH)
    review(NOW + timedelta(hours=1))

    assert [one.remaining for one in episodes()] == [800, 50]
    assert len(messages()) == 2


def test_a_lot_used_up_before_its_mail_went_out_is_dropped_and_recorded_so() -> None:
    subscribe()
    buy(3, ends=SEVENTH)
    buy(100)
    review()
    use(3)
    review(NOW + timedelta(minutes=1))

    assert [one.closed for one in episodes()] == ["emptied"]
    assert [(one.state, one.reason) for one in messages()] == [("dropped", "emptied")]


def test_a_last_day_that_is_moved_takes_the_reminder_back_and_the_new_day_is_told() -> None:
    subscribe()
    lot = buy(100, ends=SEVENTH)
    review()
    move_end(lot, SEVENTH + days(30))
    review(NOW + timedelta(hours=1))
    review(NOW + days(30))

    assert [(one.ends_on, one.closed) for one in episodes()] == [(SEVENTH, "moved"), (SEVENTH + days(30), None)]
    assert [one.state for one in messages()] == ["dropped", "queued"]


@pytest.mark.parametrize(
    ("back_after", "late", "closed"), [(0.4, False, None), (1, True, None), (7, True, None), (10, True, "expired")]
)
def test_a_product_that_was_down_across_the_day_tells_late_and_says_so(
    back_after: float, late: bool, closed: str | None
) -> None:
    """Stopped on the seventh day itself; the job that writes off expired calls is quicker than ours."""
    subscribe()
    buy(2140, ends=SEVENTH)
    back = NOW + days(back_after)
    lapse(back)

    review(back)
    review(back + timedelta(minutes=1))

    [episode] = episodes()
    assert (episode.late, episode.closed, episode.remaining) == (late, closed, 2140)
    assert [one.state for one in messages()] == ["queued"]


@pytest.mark.parametrize("again", ["moved nearer", "reopened"])
def test_a_lot_that_a_person_lets_end_soon_is_not_called_late(again: str) -> None:
    """Before that nothing was due."""
    subscribe()
    lot = buy(100, ends=SEVENTH + days(300) if again == "moved nearer" else SEVENTH)
    books.close(lot) if again == "reopened" else None
    review(NOW + days(3))
    assert episodes() == []

    at = NOW + days(4)
    with transaction():
        if again == "reopened":
            quota.reopen(lot, "x", books.WHO, TODAY + days(4), at)
        else:
            facts = replace(quota.facts_of(must_write().get_one(Lot, lot)), expires_on=SEVENTH)
            quota.change_facts(lot, facts, "x", books.WHO, TODAY + days(4), at)
    review(at + timedelta(minutes=1))

    assert [(one.late, one.due_at) for one in episodes() if one.rule == "expiry"] == [(False, at)]


def test_a_lot_found_more_than_a_month_after_its_end_is_recorded_and_told_in_the_product_only() -> None:
    subscribe()
    buy(2140, ends=SEVENTH)
    back = NOW + days(40)
    lapse(back)
    review(back)

    assert [one.closed for one in episodes()] == ["too_late"]
    assert messages() == []
    assert [one.level for one in shown() if "2,140" in one.text] == ["info"]


@pytest.mark.parametrize("written_off", [False, True])
def test_a_fall_by_a_lots_end_while_nothing_ran_is_told_late(written_off: bool) -> None:
    """Whichever job is quicker when it runs again: what is written off was gone with the end."""
    subscribe()
    buy(1000, ends=TODAY + days(9))
    buy(10)
    with transaction() as session:
        session.execute(update(Lot).where(Lot.calls == 10).values(available=1, charged=9))
    review()
    assert episodes() == []

    if written_off:
        lapse(NOW + days(15))
    review(NOW + days(15))

    low = [one for one in episodes() if one.rule == "low"]
    assert [(one.late, one.due_at) for one in low] == [(True, datetime(2026, 11, 11, 16, tzinfo=UTC))]


@pytest.mark.parametrize(("zone", "before", "after"), [
    ("Asia/Shanghai", datetime(2026, 11, 21, 15, 59, tzinfo=UTC), datetime(2026, 11, 21, 16, 0, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 22, 4, 59, tzinfo=UTC), datetime(2026, 11, 22, 5, 0, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 11, 21, 22, 59, tzinfo=UTC), datetime(2026, 11, 21, 23, 0, tzinfo=UTC)),
])  # fmt: skip
def test_the_day_turns_at_midnight_of_the_reporting_zone(
    make_app: MakeApp, zone: str, before: datetime, after: datetime
) -> None:
    with make_app(TIMEZONE=zone).app_context():
        buy(100, ends=date(2026, 11, 29))
        review(before)
        assert episodes() == []
        review(after)
        assert [one.due_at for one in episodes()] == [after]


def shown() -> list[notices.Shown]:
    with current_app.test_request_context(headers={"Accept-Language": "en"}):
        return notices.standing(ADMIN.id, "admin")


def test_the_check_after_a_call_never_fails_the_call() -> None:
    """A table that is locked, or gone: the outcome is stored already, and the minute's check comes again."""
    with transaction() as session:
        session.execute(text("ALTER TABLE reminder_episode RENAME TO elsewhere"))

    operations.call_settled(NOW)
