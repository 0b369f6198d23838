"""Who is on the list has one message of all that stands: also who comes back, moves, or is switched on again."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.reminders.story import TODAY, add_confirmed, buy, messages, move_end, review, subscribe, use
from tests.support.cast import ADMIN, AUDITOR, NOW, Member
from tests.support.waiting import until
from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM, AuditRecord
from webapp.foundation.database import db, transaction
from webapp.notify import composing, holding, outbox
from webapp.notify.channels.smtp import Reply
from webapp.notify.holding import Hold
from webapp.notify.messages import Message, Verdict
from webapp.reminders import operations, queries, recipients
from webapp.reminders.models import Recipient
from webapp.reminders.queries import recipient_by_email
from webapp.reminders.rules import Rule

pytestmark = pytest.mark.usefixtures("context")

LATER = NOW + timedelta(minutes=10)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def low(context: object) -> None:
    """A low balance stands, and waits to be told to the admin."""
    subscribe()
    buy(10)
    use(9)


def on_the_list(address: str = ADMIN.email) -> Recipient:
    recipient = recipient_by_email(address)
    assert recipient is not None
    return recipient


def choose(*, low: bool, locale: str = "zh_CN") -> None:
    with transaction():
        recipients.choose(on_the_list().id, low=low, expiry=True, locale=locale, who=SYSTEM, now=LATER)


def remove(address: str = ADMIN.email) -> None:
    with transaction():
        recipients.remove(on_the_list(address).id, SYSTEM, LATER)


def move(member: Member, address: str) -> None:
    with transaction() as session:
        session.execute(update(User).where(User.id == member.id).values(email=address))


def mark(state: str) -> None:
    """Says what became of all that was written."""
    with transaction() as session:
        session.execute(update(Message).values(state=state, attempts=3, finished_at=NOW))


def chain() -> list[tuple[str, str, str]]:
    return [(one.address, one.state, one.reason) for one in messages()]


@pytest.mark.usefixtures("low")
def test_who_unticks_a_rule_and_ticks_it_again_is_told_after_all() -> None:
    choose(low=False)
    assert chain() == [(ADMIN.email, "dropped", "not_wanted")]

    choose(low=True)

    assert chain() == [(ADMIN.email, "queued", "")]


@pytest.mark.usefixtures("low")
def test_who_is_removed_and_comes_back_is_told_after_all() -> None:
    remove()
    assert chain() == [(ADMIN.email, "dropped", "removed")]

    subscribe(now=LATER)
    review(LATER)

    assert chain() == [(ADMIN.email, "queued", "")]
    assert messages()[0].reader == on_the_list().reader


@pytest.mark.usefixtures("low")
def test_who_was_told_is_not_told_again_for_leaving_and_coming_back() -> None:
    mark("sent")
    choose(low=False)
    choose(low=True)
    remove()
    subscribe(now=LATER)
    review(LATER)

    assert chain() == [(ADMIN.email, "sent", "")]


@pytest.mark.usefixtures("low")
def test_what_has_become_pointless_stays_so_for_one_who_comes_back() -> None:
    remove()
    buy(1000, now=LATER)
    subscribe(now=LATER)
    review(LATER)

    assert chain() == [(ADMIN.email, "dropped", "removed")]


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize(("before", "after"), [("queued", "queued"), ("refused", "queued"), ("failed", "queued"),
                                               ("sent", "sent")])  # fmt: skip
def test_a_user_whose_address_changes_is_told_there_unless_they_were_told_already(before: str, after: str) -> None:
    mark(before)
    move(ADMIN, "new@yuliang.test")
    review(LATER)
    review(LATER + timedelta(minutes=1))

    assert chain() == [(ADMIN.email if before == "sent" else "new@yuliang.test", after, "")]


@pytest.mark.usefixtures("low")
def test_what_was_refused_is_tried_again_once_a_day_while_its_episode_stands() -> None:
    """Some hosts answer a limit of the hour as if it were for good."""
    for day in range(3):
        with transaction() as session:
            session.execute(update(Message).values(state="refused", attempts=1, finished_at=NOW + DAY * day))
        review(NOW + DAY * (day + 1) - SECOND)
        assert chain() == [(ADMIN.email, "refused", "")]
        review(NOW + DAY * (day + 1))
        assert chain() == [(ADMIN.email, "queued", "")]

    mark("refused")
    buy(1000, now=LATER)
    review(NOW + DAY * 5)
    assert chain() == [(ADMIN.email, "refused", "")]


@pytest.mark.usefixtures("low")
def test_what_was_refused_by_a_clock_that_was_ahead_is_tried_again_at_once() -> None:
    with transaction() as session:
        session.execute(update(Message).values(state="refused", finished_at=NOW + DAY * 30))
    review(LATER)

    assert chain() == [(ADMIN.email, "queued", "")]


def given_up(reason: str = "server") -> None:
    """What was written was given up now."""
    with transaction() as session:
        session.execute(update(Message).values(state="failed", reason=reason, finished_at=LATER))


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("mended_by", ["a mail that the server took", "new settings", "a day's rest"])
def test_what_was_given_up_because_of_the_server_comes_back_while_its_episode_stands(mended_by: str) -> None:
    given_up()
    then = LATER + timedelta(hours=1)
    review(then)
    assert chain() == [(ADMIN.email, "failed", "server")]

    match mended_by:
        case "a mail that the server took":
            with transaction() as session:
                session.add(Hold(channel="mail", failures=9, until=then, fresh_at=then))
            with transaction():
                holding.heard(Reply(Verdict.ACCEPTED, "content", 250, "OK"), then, 0.5, probing=True)
        case "new settings":
            with transaction():
                outbox.hurry(then)
        case _:
            then = LATER + timedelta(days=1)
    review(then)

    assert chain() == [(ADMIN.email, "queued", "")]
    assert messages()[0].first_at is None, "another 72 hours"


@pytest.mark.usefixtures("low")
def test_what_was_given_up_stays_so_when_its_episode_is_over_or_its_words_were_the_fault() -> None:
    """Its own fault is not mended with the server: it has its day's rest."""
    given_up("")
    with transaction():
        holding.lift(LATER + timedelta(hours=1))
    review(LATER + timedelta(hours=2))
    assert chain() == [(ADMIN.email, "failed", "")]

    given_up()
    buy(1000, now=LATER)
    review(LATER + timedelta(days=2))
    assert chain() == [(ADMIN.email, "failed", "server")]


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize(("over_by", "reason"), [("a purchase", "renewed"), ("leaving", "not_told"),
                                                 ("unticking", "not_told"), ("nothing", "")])  # fmt: skip
def test_whoever_takes_a_message_asks_whether_it_is_still_worth_sending(over_by: str, reason: str) -> None:
    match over_by:
        case "a purchase":
            buy(1000, now=LATER)
        case "leaving":
            remove()
        case "unticking":
            choose(low=False)
    with transaction() as session:  # as one that a process brought back at the same moment
        session.execute(update(Message).values(state="queued", reason="", next_at=NOW))

    taken = outbox.take(LATER, "yuliang@here.test")

    assert (taken is None) == bool(reason)
    assert chain() == [(ADMIN.email, "dropped" if reason else "queued", reason)]


def test_a_mail_of_an_end_that_has_come_is_still_worth_sending_but_not_of_one_that_was_moved() -> None:
    subscribe()
    lot = buy(100, ends=TODAY + timedelta(days=3))
    review()
    [message] = messages()
    review(NOW + timedelta(days=4))
    assert composing.pointless(message, NOW) == ""

    moved = buy(50, ends=TODAY + timedelta(days=5))
    review()
    move_end(moved, TODAY + timedelta(days=90))
    review(LATER)
    assert lot != moved
    assert composing.pointless(messages()[-1], NOW) == "moved"


def test_a_link_to_confirm_is_not_mailed_when_it_is_void() -> None:
    with transaction():
        boss = recipients.add("boss@outside.test", "en", SYSTEM, NOW)
        recipients.ask_again(boss.id, SYSTEM, LATER)
    old, new = messages("recipient.confirm")
    assert [composing.pointless(one, NOW) for one in (old, new)] == ["asked_again", ""]
    with transaction():
        recipients.confirm(boss.mark, int(LATER.timestamp()), SYSTEM, LATER)
    assert composing.pointless(new, NOW) == "confirmed"
    remove("boss@outside.test")
    assert composing.pointless(new, NOW) == "removed"


def test_a_link_that_was_asked_for_by_a_clock_that_was_ahead_can_be_asked_for_again() -> None:
    with transaction():
        boss = recipients.add("boss@outside.test", "en", SYSTEM, NOW + timedelta(days=1))
        assert not recipients.ask_again(boss.id, SYSTEM, NOW + timedelta(days=1, seconds=59))
        assert recipients.ask_again(boss.id, SYSTEM, NOW)
    [asked] = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "recipient_asked"))
    assert (asked.object_type, asked.object_id) == ("recipient", boss.id)


@pytest.mark.usefixtures("low")
def test_a_language_that_is_chosen_holds_for_what_waits() -> None:
    choose(low=True, locale="en")

    assert [one.locale for one in messages()] == ["en"]


@pytest.mark.usefixtures("low")
def test_a_user_who_is_switched_off_is_told_nothing_more_and_told_after_all_when_switched_on() -> None:
    for active, expected in ((False, ("dropped", "not_told")), (True, ("queued", ""))):
        with transaction() as session:
            session.execute(update(User).where(User.id == ADMIN.id).values(active=active))
        review(LATER)

        assert chain() == [(ADMIN.email, *expected)]


def test_an_address_that_stands_on_the_list_twice_by_now_is_told_once() -> None:
    """An outside address that an admin's account got later."""
    add_confirmed("new@yuliang.test")
    subscribe(ADMIN)
    move(ADMIN, "new@yuliang.test")
    buy(10)
    use(9)
    review(LATER)

    assert [one.address for one in queries.deliverable(Rule.LOW)] == ["new@yuliang.test"]
    assert chain() == [("new@yuliang.test", "queued", "")]


def test_two_who_swap_their_addresses_while_mails_wait_both_get_theirs() -> None:
    subscribe(ADMIN)
    subscribe(AUDITOR)
    buy(10)
    use(9)
    readers = [one.reader for one in messages()]
    move(ADMIN, "between@yuliang.test")
    move(AUDITOR, ADMIN.email)
    move(ADMIN, AUDITOR.email)
    review(LATER)

    assert [one.reader for one in messages()] == readers
    assert [one.address for one in messages()] == [AUDITOR.email, ADMIN.email]


def test_confirming_tells_what_stands_at_once() -> None:
    buy(10, ends=TODAY + timedelta(days=3))
    use(9)
    review()

    add_confirmed("boss@outside.test", now=LATER)

    assert {one.kind for one in messages()} == {"reminder.low", "reminder.expiry"}


def test_who_wants_it_again_after_their_mail_was_handed_on_has_one_of_their_own() -> None:
    """Their address became another's, with the mail that waited for it."""
    subscribe()
    buy(100)
    use(90)
    [recipient] = db.session.scalars(select(Recipient)).all()
    number, former = recipient.id, ADMIN.email
    with transaction() as session:
        recipients.choose(number, low=False, expiry=True, locale="en", who=SYSTEM, now=NOW)
        session.execute(update(User).where(User.id == ADMIN.id).values(email="new@here.test"))
    add_confirmed(former)
    with transaction():
        recipients.choose(number, low=True, expiry=True, locale="en", who=SYSTEM, now=NOW)

    assert {(one.address, one.state) for one in messages()} == {(former, "queued"), ("new@here.test", "queued")}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("tried", ["all", "one"])
def test_messages_are_locked_before_the_hold(app: Flask, tried: str) -> None:
    """Whoever settles a message, or tries one or all again, has them before the hold: else two would wait for each
    other."""
    subscribe()
    buy(100)
    use(90)
    taken = outbox.take(NOW, "yuliang@here.test")
    assert taken is not None
    outbox.settle(taken, Reply(Verdict.PERMANENT, "recipient", 550, "no"), None, NOW, 0.0)
    with transaction():
        holding.lift(NOW)
    again: list[object] = []

    def try_again() -> None:
        with app.app_context(), transaction():
            operations.one_at_a_time()
            again.append(operations.retry_standing(NOW) if tried == "all" else outbox.retry(taken.message.id, NOW))

    def is_locked() -> bool:
        free = select(Message.id).where(Message.id == taken.message.id).with_for_update(skip_locked=True)
        with db.engine.connect() as other:
            return other.execute(free).first() is None

    thread = threading.Thread(target=try_again, daemon=True)
    with transaction():
        holding.lift(NOW)
        thread.start()
        until(is_locked, "the message's lock, while the hold is another's")
    thread.join(60)
    assert again == [1]
