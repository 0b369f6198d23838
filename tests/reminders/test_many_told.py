"""What becomes of each recipient's message, with many of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.support.cast import NOW
from webapp.notify import retrying
from webapp.reminders import telling


@dataclass
class Person:
    """A recipient, or the message of one; counts how often it is looked at."""

    reader: str
    address: str
    id: int = 0
    locale: str = "en"
    state: str = "queued"
    reason: str = ""
    created_at: datetime = NOW
    finished_at: datetime | None = None


class Listening(list[Person]):
    """A list that counts how many of its items were looked at."""

    looked = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        for one in super().__iter__():
            self.looked += 1
            yield one


def test_each_is_found_by_who_they_are_or_by_an_address_that_is_nobodys() -> None:
    told = [Person("a", "new@x"), Person("b2", "b@x"), Person("c", "c@x"), Person("d", "a@x")]
    written = [Person("a", "a@x", 1), Person("b1", "b@x", 2), Person("b0", "b@x", 3), Person("c", "c@x", 4)]
    known = telling.known(told, written)

    mine = [telling.message_of(one, known) for one in told]

    assert [one and one.id for one in mine] == [1, 2, 4, None]


def test_finding_them_all_costs_as_much_more_as_there_are_more_of_them() -> None:
    told = Listening(Person(f"r{number}", f"{number}@x") for number in range(2000))
    known = telling.known(told, list(told))

    assert all(telling.message_of(one, known) is not None for one in list.__iter__(told))

    assert told.looked <= 4 * len(told)


def comes_back(state: str, reason: str, written: timedelta, lost: timedelta) -> bool:
    mine = Person("r", "r@x", state=state, reason=reason, created_at=NOW - written, finished_at=NOW - lost)
    again = telling.step(Person("r", "r@x"), mine, NOW, None) == telling.Step.AGAIN
    look = telling.next_look(mine)
    assert again == (look is not None and look <= NOW), "the page names what will be done"
    return again


@pytest.mark.parametrize("state", ["refused", "failed"])
def test_what_a_recipients_host_did_not_take_comes_back_each_day_for_a_week(state: str) -> None:
    day = timedelta(days=1)

    assert not comes_back(state, "", day, day - timedelta(seconds=1))
    assert comes_back(state, "", day, day)
    assert comes_back(state, "", 7 * day, day)
    assert not comes_back(state, "", 9 * day, day)
    assert comes_back(state, "server", 9 * day, day), "not its own trouble"
    assert not comes_back(state, "no_mailbox", 3 * day, day)


@pytest.mark.parametrize(
    ("words", "why"),
    [("5.1.1 no such user", "no_mailbox"), ("5.1.10 null MX", "no_mailbox"), ("5.2.1 disabled", "no_mailbox"),
     ("5.1.12 other", ""), ("5.7.1 relay access denied", ""), ("frequency limited 5.1.1", ""), ("", "")],
)  # fmt: skip
def test_a_mailbox_that_does_not_exist_is_known_by_the_servers_code(words: str, why: str) -> None:
    assert retrying.refused_why(words) == why
