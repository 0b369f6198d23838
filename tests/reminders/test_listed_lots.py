"""The lots that the low mail lists: those with calls left, in the order of use, and what finds no room is counted."""

from __future__ import annotations

import re
from datetime import date
from email.message import EmailMessage

import pytest

from tests.quota import books
from tests.reminders.mailing import html_of, leave, mail_of, scene_low, text_of
from tests.reminders.story import buy, review, subscribe
from webapp.quota.rules import DrawOrder

pytestmark = pytest.mark.usefixtures("context")


def listed(mail: EmailMessage, heading: str) -> tuple[list[str], list[str]]:
    """The lots of the low mail, in its text and in its HTML, and what stands below them."""
    text = text_of(mail)
    block = text[text.index(heading) :].split("\n\n")[0].splitlines()[1:]
    table = html_of(mail).split(f"{heading}</h2>")[1].split("</table>")[0]
    cells = [" ".join(cell.split()) for cell in re.findall(r"<td[^>]*>([^<]*)</td>", table)]
    return block, cells


@pytest.mark.parametrize(
    ("order", "first"), [(DrawOrder.EXPIRY, ["ENDS FIRST", "BOUGHT FIRST"]),
                         (DrawOrder.PURCHASE, ["BOUGHT FIRST", "ENDS FIRST"])],
)  # fmt: skip
def test_the_low_mail_lists_the_lots_in_the_order_of_use_that_is_set(order: DrawOrder, first: list[str]) -> None:
    subscribe()
    books.use_first(order)
    for name, begins, ends in (("BOUGHT FIRST", date(2026, 1, 1), date(2027, 1, 1)),
                               ("ENDS FIRST", date(2026, 2, 1), date(2026, 12, 1))):  # fmt: skip
        leave(buy(1000, ends, name, begins=begins), 100, 1000)
    leave(buy(1000, order="EMPTY"), 0, 1000)
    review()

    for locale, heading in (("en", "Lots with calls left, in the order of use"),
                            ("zh_CN", "尚有余量的套餐包（按使用顺序）")):  # fmt: skip
        text, html = listed(mail_of(locale), heading)
        assert [line.partition(":")[0] for line in text] == [f"- {name}" for name in first]
        assert html[::2] == first


def test_lots_that_find_no_room_in_the_low_mail_are_counted() -> None:
    subscribe()
    for number in range(11):
        leave(buy(1000, date(2027, 1, 1 + number), f"A-{number}"), 10, 1000)
    review()

    for locale, heading, words in (
        ("en", "Lots with calls left, in the order of use", "and 3 more lots with 30 calls"),
        ("zh_CN", "尚有余量的套餐包（按使用顺序）", "另有 3 个套餐包，共 30 次"),
    ):
        text, html = listed(mail_of(locale), heading)
        assert ([line.partition(":")[0] for line in text[:8]], text[8:]) == ([f"- A-{n}" for n in range(8)], [words])
        assert (html[:16:2], html[16:]) == ([f"A-{n}" for n in range(8)], [words])


def test_where_nothing_is_left_no_lots_are_listed() -> None:
    scene_low(remaining=0, total=100, calls_a_day=3)

    mail = mail_of("en")

    assert "in the order of use" not in text_of(mail) + html_of(mail)
