"""Lots that were bought ahead and begin later: mails and page reckon with them as the first page does."""

from __future__ import annotations

from datetime import date

import pytest

from tests.reminders.mailing import leave, mail_of, text_of, used_each_day
from tests.reminders.story import TODAY, buy, days, review, subscribe
from webapp.dashboard.runout import run_out
from webapp.foundation.instance import this_instance

pytestmark = pytest.mark.usefixtures("context")

SEVENTH = TODAY + days(7)
FAR = date(2027, 10, 31)


def low_with_a_successor(begins: date) -> None:
    subscribe()
    used_each_day(100)
    leave(buy(10_000, order="OLD"), 1500, 10_000)
    buy(10_000, begins + days(364), "NEXT", begins=begins)
    review()


def test_the_low_mail_foretells_what_the_first_page_does() -> None:
    low_with_a_successor(TODAY + days(3))

    mail = mail_of("en")

    found = run_out(TODAY, this_instance().settings.zone).forecast
    assert found is not None
    assert found.out_on is not None
    day = f"{found.out_on:%b} {found.out_on.day}, {found.out_on.year}"
    assert mail["Subject"] == f"[Yuliang] 15% left: 1,500/10,000 calls, used up around {day}"
    lead = text_of(mail).splitlines()[0]
    assert " line is reached. Another 10,000 calls begin later, the first of them on Nov 5." in lead
    assert f"At the recent rate they last about {found.days} days" in lead
    assert "- NEXT: 10,000 calls, from Nov 5 until Nov 4, 2027\n" in text_of(mail)
    assert "另有 10,000 次尚未生效，最早自 11月5日起可用。按近期用量约可用" in text_of(mail_of("zh_CN"))


def test_calls_that_begin_only_after_the_others_are_used_up_are_not_said_to_make_them_last() -> None:
    low_with_a_successor(TODAY + days(40))

    mail = mail_of("en")

    assert "used up around Nov 1" in mail["Subject"]
    assert "Another 10,000 calls begin later, the first of them on Dec 12. Please buy by Nov 1" in text_of(mail)
    lead = text_of(mail_of("zh_CN")).splitlines()[0]
    assert "另有 10,000 次尚未生效，最早自 12月12日起可用。请在 11月1" in lead


@pytest.mark.parametrize(
    ("begins", "words"),
    [
        (SEVENTH - days(4), "After that other lots have 10,000 calls.\n"),
        (SEVENTH + days(1), "After that other lots have 10,000 calls.\n"),
        (SEVENTH + days(2), "After that other lots have 0 calls. Another 10,000 calls begin later, the first of them "
                            "on Nov 11.\n"),
    ],
)  # fmt: skip
def test_the_expiry_mail_counts_what_begins_until_the_day_after_the_end(begins: date, words: str) -> None:
    subscribe()
    used_each_day(10)
    buy(10_000, SEVENTH, "OLD")
    buy(10_000, FAR, "NEXT", begins=begins)
    review()

    assert words in text_of(mail_of("en"))
