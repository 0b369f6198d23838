"""What stands between a reminder and its readers is told, at once and on every page, until it is mended."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, update

from tests.conftest import MakeApp
from tests.reminders.mailing import leave
from tests.reminders.story import add_confirmed, buy, episodes, messages, review, subscribe, use
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member
from webapp.audit.trail import SYSTEM
from webapp.foundation import runtime
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.leases import Lease
from webapp.notify import notices
from webapp.notify.channels.mail import SERVER
from webapp.notify.messages import Message
from webapp.reminders import health, operations, recipients
from webapp.reminders.queries import recipient_by_email
from webapp.scheduler import JOBS, run_job

Open = Callable[[Member | None], Desk]
NO_WORKER = "No worker is running: nothing is checked or sent. Start `yuliang serve` or `yuliang worker`."
NO_SERVER = "No mail server is set: mails are kept here and reach nobody."
NOBODY = "Nobody is on the list of recipients, or nobody there has confirmed."
UNDELIVERED = "1 reminder mail could not be delivered."


@pytest.fixture
def mailing(make_app: MakeApp) -> Flask:
    """An app with a mail server that nobody is; nothing is sent in these tests."""
    return make_app(SMTP_URL="smtp://127.0.0.1:9", MAIL_FROM="yuliang@here.test", PUBLIC_URL="https://yuliang.test")


def work(app: Flask, now: timedelta | None = None) -> None:
    """What a worker does: every job but the sending, which would wait for the server."""
    at = NOW + now if now is not None else None
    for job in JOBS:
        if job.name != "send messages":
            run_job(app, job, "host:1:a", (lambda: at) if at else utc_now)
    with app.app_context(), transaction() as session:
        session.execute(delete(Lease).where(Lease.name == "send messages"))


def faults(app: Flask, after: timedelta = timedelta()) -> list[tuple[str, str]]:
    """What health says in English, so long after NOW."""
    with app.app_context(), app.test_request_context(headers={"Accept-Language": "en"}):
        found = [(one.level, one.text) for one in health.faults(this_instance(), NOW + after)]
        db.session.remove()
        return found


def banners(desk: Desk, path: str = "/quota") -> list[str]:
    """The banners of a page."""
    page = desk.get(path, headers={"Accept-Language": "en"}).text
    section = re.search(r"<section[^>]*data-alarms.*?</section>", page, re.DOTALL)
    return [html.unescape(text) for text in re.findall(r">Reminders: ([^<]*)<", section[0])] if section else []


def test_an_instance_that_is_not_set_up_says_all_that_is_missing(app: Flask) -> None:
    assert faults(app) == [("danger", NO_WORKER), ("warning", NO_SERVER), ("warning", NOBODY)]


def test_one_that_is_set_up_and_worked_on_says_nothing(mailing: Flask) -> None:
    with mailing.app_context():
        subscribe()
        db.session.remove()
    work(mailing, timedelta())

    assert faults(mailing, timedelta(seconds=59)) == []


def test_a_line_that_is_reached_while_nobody_is_on_the_list_is_a_danger_until_somebody_is_told(mailing: Flask) -> None:
    alarm = ("danger", "It is time, and nobody has been told: Low balance.")
    with mailing.app_context():
        leave(buy(100), 10, 100)
        review()
        db.session.remove()
    work(mailing, timedelta())
    assert faults(mailing) == [alarm, ("warning", NOBODY)]
    with mailing.app_context():
        subscribe()
        review()
        db.session.remove()

    assert faults(mailing) == []


def test_a_rule_that_reaches_nobody_is_named_although_the_other_reaches_someone(mailing: Flask) -> None:
    with mailing.app_context():
        subscribe()
        with transaction():
            recipients.choose(1, low=False, expiry=True, locale="en", who=SYSTEM, now=NOW)
        db.session.remove()
    work(mailing, timedelta())

    assert faults(mailing) == [("warning", "Nobody is told of this: Low balance.")]


def test_a_worker_that_is_dead_is_told_on_every_page_of_an_admin_and_of_no_one_else(mailing: Flask) -> None:
    admin = Desk(mailing, ADMIN)
    for path in ("/", "/quota", "/users", "/profile"):
        assert NO_WORKER in banners(admin, path)
    for member in (OPERATOR, AUDITOR):
        assert banners(Desk(mailing, member), "/") == []

    work(mailing)
    assert banners(admin) == []

    with mailing.app_context():
        with transaction() as session:
            session.execute(update(Lease).values(finished_at=utc_now() - timedelta(seconds=61)))
        db.session.remove()
    assert banners(admin) == [NO_WORKER]


@pytest.mark.parametrize("public_url", ["", "http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"])
def test_links_that_only_this_machine_can_open_are_told(make_app: MakeApp, public_url: str) -> None:
    app = make_app(SMTP_URL="smtp://127.0.0.1:9", MAIL_FROM="yuliang@here.test", PUBLIC_URL=public_url)
    with app.app_context():
        subscribe()
        db.session.remove()
    work(app, timedelta())

    url = public_url or "http://127.0.0.1:8000"
    assert faults(app) == [
        ("warning", f"Links in mails lead to {url}, which works on this machine only: set YULIANG_PUBLIC_URL.")
    ]


def test_a_dead_worker_is_told_although_its_clock_was_a_day_ahead(mailing: Flask) -> None:
    with mailing.app_context():
        subscribe()
        db.session.remove()
    work(mailing, timedelta(days=1))
    assert faults(mailing) == [("danger", NO_WORKER)]

    work(mailing, timedelta(seconds=5))  # the others are due only once an hour, and keep their stamps
    assert faults(mailing, timedelta(seconds=60)) == []
    assert faults(mailing, timedelta(seconds=70)) == [("danger", NO_WORKER)]


@pytest.mark.parametrize(("language", "words"), [("en", "The job «checks the rules» "), ("zh", "后台任务“检查规则”")])
@pytest.mark.parametrize("trouble", ["failed", "late", "ahead"])
def test_a_job_that_does_not_get_through_is_named_in_the_readers_language(
    mailing: Flask, language: str, words: str, trouble: str
) -> None:
    work(mailing, timedelta())
    stamp = {"failed": NOW, "late": NOW - timedelta(minutes=6), "ahead": NOW + timedelta(days=1)}[trouble]
    with mailing.app_context(), transaction() as session:
        review_job = update(Lease).where(Lease.name == "check reminders")
        session.execute(review_job.values(finished_at=stamp, error="KeyError" if trouble == "failed" else None))

    with mailing.app_context(), mailing.test_request_context(headers={"Accept-Language": language}):
        found = [one.text for one in health.faults(this_instance(), NOW)]
        db.session.remove()
    assert any(text.startswith(words) for text in found), found


def test_what_is_not_set_up_is_told_where_admins_begin_and_gone_once_it_is_mended(mailing: Flask) -> None:
    work(mailing)
    admin = Desk(mailing, ADMIN)
    assert (banners(admin, "/"), banners(admin, "/quota")) == ([NOBODY], [])

    admin.post("/reminders/recipients/me")

    assert banners(admin, "/") == []


def test_no_number_of_notices_pushes_a_banner_out(app: Flask, desk: Open) -> None:
    with app.app_context(), transaction():
        for number in range(60):
            notices.tell("admin", "calls_stop", f"stop:{number}", NOW, cause="quota_exhausted")

    assert NO_WORKER in banners(desk(ADMIN))


def low_told_to(app: Flask, *addresses: str) -> None:
    """A low balance that is being told to admin and others."""
    with app.app_context():
        subscribe()
        for address in addresses:
            add_confirmed(address)
        buy(10)
        use(9)
        db.session.remove()


def test_a_mail_that_waits_for_an_hour_is_told_without_any_job_and_until_it_is_delivered(mailing: Flask) -> None:
    low_told_to(mailing)
    work(mailing, timedelta(minutes=59))

    assert faults(mailing, timedelta(minutes=59)) == []
    assert faults(mailing, timedelta(minutes=60)) == [("danger", UNDELIVERED)]

    with mailing.app_context(), transaction() as session:
        session.execute(update(Message).values(state="sent"))
    assert faults(mailing, timedelta(minutes=60)) == []


@pytest.mark.parametrize("state", ["refused", "failed"])
@pytest.mark.parametrize("mended_by", ["removing them", "their not wanting it", "a purchase"])
def test_a_mail_that_was_refused_is_told_until_nobody_misses_it(mailing: Flask, state: str, mended_by: str) -> None:
    low_told_to(mailing, "boss@outside.test")
    with mailing.app_context(), transaction() as session:
        session.execute(update(Message).values(state="sent"))
        boss = update(Message).where(Message.address == "boss@outside.test")
        session.execute(boss.values(state=state, finished_at=NOW))
    later = timedelta(days=8)
    work(mailing, later)
    assert faults(mailing, later) == [("danger", UNDELIVERED)], "however long ago"

    with mailing.app_context():
        boss_id = recipient_by_email("boss@outside.test")
        assert boss_id is not None
        match mended_by:
            case "removing them":
                with transaction():
                    recipients.remove(boss_id.id, SYSTEM, NOW + later)
            case "their not wanting it":
                with transaction():
                    recipients.choose(boss_id.id, low=False, expiry=True, locale="en", who=SYSTEM, now=NOW + later)
            case _:
                buy(1000, now=NOW + later)
        db.session.remove()
    assert faults(mailing, later) == []


def test_a_mail_to_one_who_comes_back_to_the_list_has_an_hour_from_then(mailing: Flask) -> None:
    low_told_to(mailing)
    back = timedelta(days=2)
    with mailing.app_context():
        for low, at in ((False, NOW), (True, NOW + back)):
            with transaction():
                recipients.choose(1, low=low, expiry=True, locale="en", who=SYSTEM, now=at)
        db.session.remove()

    for waited, expected in ((0, []), (59, []), (60, [("danger", UNDELIVERED)])):
        after = back + timedelta(minutes=waited)
        work(mailing, after)
        assert faults(mailing, after) == expected


@pytest.mark.parametrize("state", ["refused", "failed"])
def test_a_mail_that_is_tried_again_by_hand_stays_a_fault_until_it_is_delivered(mailing: Flask, state: str) -> None:
    low_told_to(mailing)
    later = timedelta(hours=3)
    with mailing.app_context():
        with transaction() as session:
            session.execute(update(Message).values(state=state, finished_at=NOW))
        with transaction():
            assert operations.retry_standing(NOW + later) == 1
        db.session.remove()
    work(mailing, later)

    assert faults(mailing, later) == [("danger", UNDELIVERED)]


def test_a_mail_that_went_out_in_short_form_is_told_for_a_day_while_its_episode_stands(mailing: Flask) -> None:
    low_told_to(mailing)
    with mailing.app_context(), transaction() as session:
        session.execute(update(Message).values(flaw="KeyError: 'x'"))
    work(mailing, timedelta(minutes=50))
    assert len(faults(mailing, timedelta(minutes=50))) == 1, "it waits in that form"
    with mailing.app_context(), transaction() as session:
        session.execute(update(Message).values(state="sent", finished_at=NOW))
    work(mailing, timedelta(hours=24))
    assert faults(mailing, timedelta(hours=24)) == []
    work(mailing, timedelta())
    assert faults(mailing) == [
        ("danger", "1 reminder mail could not be written in full and went out in short form.")
    ]  # fmt: skip

    with mailing.app_context():
        buy(1000, now=NOW)
        db.session.remove()
    assert faults(mailing) == []


def test_a_stored_server_that_no_key_opens_is_told_breaks_no_page_and_stops_no_check(app: Flask, desk: Open) -> None:
    with app.app_context():
        subscribe()
        with transaction() as session:
            runtime.store(SERVER, "smtp://127.0.0.1:9", this_instance().sealer, NOW)
            session.execute(update(runtime.StoredSetting).where(runtime.StoredSetting.name == SERVER)
                            .values(sealed=b"\x01\x02k9" + bytes(40)))  # fmt: skip
        db.session.remove()
        buy(10)
        use(9)
        review(NOW + timedelta(minutes=1))
        assert [one.rule for one in episodes()] == ["low"]
        assert [one.state for one in messages()] == ["queued"]
        db.session.remove()

    assert any("cannot be read with the present keys" in text for _level, text in faults(app))
    admin = desk(ADMIN)
    for path in ("/", "/reminders", "/reminders/mail"):
        assert admin.get(path).status_code == 200
    assert admin.post("/reminders/test-mail", {"email": ADMIN.email}).status_code == 303
