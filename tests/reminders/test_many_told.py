"""What becomes of each recipient's message, with many of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
