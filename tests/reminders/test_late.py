"""A reminder that comes late says so, in either form: found late, or found in time and sent late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.reminders.mailing import html_of, leave, mail_of, text_of
from tests.reminders.story import TODAY, add_confirmed, buy, days, episodes, review, subscribe
from tests.support.cast import ADMIN, NOW
from webapp.foundation.clock import start_of
from webapp.foundation.instance import this_instance
from webapp.reminders import mails

pytestmark = pytest.mark.usefixtures("context")

LATE = {"zh_CN": "本提醒延迟发出", "en": "This reminder is late"}


def faulty(*_figures: object) -> Any:
    raise KeyError("a fault in the words")


@pytest.fixture(params=["full", "short"], autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both forms of a mail."""
    if request.param == "short":
        monkeypatch.setattr(mails, "usage_picture", faulty)


def low() -> None:
    subscribe()
    leave(buy(100), 10, 100)
    review()


def test_what_was_found_late_says_when_it_was_due() -> None:
    subscribe()
    buy(100, ends=TODAY + days(7))
    review(NOW + days(3))

    mail = mail_of("zh_CN", NOW + days(3))

    words = "本提醒延迟发出：应于 2026-11-02 12:00:00 发出，至 2026-11-05 12:00:00 才发现。"
    assert words in text_of(mail)
    assert words in html_of(mail)


@pytest.mark.parametrize(
    ("locale", "words"),
    [("zh_CN", "本提醒延迟发出：写于 2026-11-02 12:00:00。"),
     ("en", "This reminder is late: it was written at 2026-11-02 12:00:00.")],
)  # fmt: skip
@pytest.mark.parametrize("scene", ["low", "expiry"])
def test_what_was_found_in_time_and_sent_late_says_when_it_was_written(scene: str, locale: str, words: str) -> None:
    if scene == "low":
        low()
    else:
        subscribe()
        buy(100, ends=TODAY + days(7))
        review()
    assert [one.late for one in episodes()] == [False]

    mail = mail_of(locale, NOW + days(5))

    assert words in text_of(mail)
    assert words in html_of(mail)


@pytest.mark.parametrize(("after", "late"), [(timedelta(minutes=59), False), (timedelta(minutes=61), True)])
def test_a_low_balance_is_late_after_an_hour(after: timedelta, late: bool) -> None:
    low()

    assert (LATE["en"] in text_of(mail_of("en", NOW + after))) == late


@pytest.mark.parametrize(("hours", "late"), [(0.5, False), (1.5, True)])
def test_an_end_is_late_on_another_day_but_not_just_after_midnight(hours: float, late: bool) -> None:
    subscribe()
    buy(100, ends=TODAY + days(7))
    midnight = start_of(TODAY + days(1), this_instance().settings.zone)
    review(midnight - timedelta(minutes=15))
    assert LATE["en"] not in text_of(mail_of("en", midnight - timedelta(minutes=1))), "due since noon, told on that day"

    assert (LATE["en"] in text_of(mail_of("en", midnight - timedelta(minutes=15) + timedelta(hours=hours)))) == late


def test_of_two_readers_only_the_one_who_has_waited_is_told_that_it_is_late() -> None:
    low()
    joined = NOW + timedelta(hours=5)
    add_confirmed("new@outside.test", now=joined)
    review(joined)

    assert LATE["en"] in text_of(mail_of("en", joined, to=ADMIN.email))
    assert LATE["en"] not in text_of(mail_of("en", joined, to="new@outside.test"))
