"""Pages of the history: every row once, in order, both ways, whatever is added; any cursor is harmless."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.history.rows import store
from tests.support.cast import ADMIN, COLLEAGUE, NOW, OPERATOR
from webapp.accounts.models import User
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history.filters import BadCursor, Cursor, Filters
from webapp.history.queries import Page, page
from webapp.vendor.contract import Outcome
from webapp.verification.models import Verification

pytestmark = pytest.mark.both_databases  # it is about what differs between the two

SHANGHAI = ZoneInfo("Asia/Shanghai")
EARLIER = [NOW - timedelta(days=9), NOW - timedelta(hours=30), NOW - timedelta(microseconds=1)]
Shown = tuple[datetime, int]
MOST_PAGES = 200


def viewer(user_id: int = ADMIN.id) -> User:
    return db.session.get_one(User, user_id)


def look(size: int, cursor: str | None = None, filters: Filters | None = None, user_id: int = ADMIN.id) -> Page:
    place = Cursor.decode(cursor) if cursor else None
    return page(filters or Filters(), viewer(user_id), this_instance(), size, place)


def walk(start: Page, side: str, size: int, between: Callable[[], object] = lambda: None) -> list[list[int]]:
    """The numbers on each page from `start` on, going to the `older` or `newer` side."""
    shown, here = [[row.id for row in start.rows]], start
    while cursor := getattr(here, side):
        between()
        here = look(size, cursor)
        shown.append([row.id for row in here.rows])
        assert len(shown) < MOST_PAGES, "the pages do not end"
    return shown


def at_random(seed: int, many: int) -> list[Shown]:
    """That many rows, on few instants so that most share theirs, stored in any order; the newest first."""
    chance = random.Random(seed)
    instants = [NOW - timedelta(seconds=chance.randrange(5)) for _ in range(many)]
    with transaction():
        made = store(*instants)
    return sorted(zip(instants, made, strict=True), reverse=True)


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("seed", range(3))
def test_every_row_stands_on_one_page_in_order_both_ways(seed: int) -> None:
    size = 1 + 6 * seed
    expected = [row_id for _, row_id in at_random(seed, 40)]

    down = walk(look(size), "older", size)
    last = look(size, _last_cursor(size))
    up = walk(last, "newer", size)

    assert [row_id for rows in down for row_id in rows] == expected
    assert all(len(rows) == size for rows in down[:-1])
    assert down[-1], "no page is empty"
    assert [row_id for rows in reversed(up) for row_id in rows] == expected


def _last_cursor(size: int) -> str | None:
    here, cursor = look(size), None
    for _ in range(MOST_PAGES):
        if here.older is None:
            break
        cursor = here.older
        here = look(size, cursor)
    return cursor


@pytest.mark.usefixtures("context")
def test_rows_added_meanwhile_neither_hide_nor_repeat_one() -> None:
    expected = [row_id for _, row_id in at_random(7, 30)]
    chance = random.Random(7)

    def another() -> None:
        with transaction():  # one at the newest instant, one that took long to be stored
            store(NOW, NOW - timedelta(seconds=chance.randrange(5)))

    seen = [row_id for rows in walk(look(4), "older", 4, another) for row_id in rows]

    assert [row_id for row_id in seen if row_id in expected] == expected
    assert len(seen) == len(set(seen))


@pytest.mark.usefixtures("context")
def test_the_ends_know_that_they_are() -> None:
    assert (look(10).newer, look(10).older) == (None, None)
    with transaction():
        store(*[NOW - timedelta(seconds=n) for n in range(10)])

    full = look(10)
    assert (full.newer, full.older) == (None, None)
    first = look(9)
    assert first.newer is None
    second = look(9, first.older)
    assert (len(second.rows), second.older) == (1, None)
    assert [row.id for row in look(9, second.newer).rows] == [row.id for row in first.rows]
    assert look(9, second.newer).newer is None


@pytest.mark.usefixtures("context")
def test_each_filter_and_all_together_keep_what_they_say() -> None:
    chance = random.Random(3)
    with transaction():
        for at in EARLIER * 8:
            store(at, outcome=chance.choice([*Outcome]), operator_id=chance.choice([OPERATOR.id, COLLEAGUE.id]),
                  department_id=chance.choice([1, 2, None]))  # fmt: skip
    rows = db.session.query(Verification).all()
    choices: dict[str, list[Any]] = {
        "outcome": [None, "match", "unknown"], "operator": [None, OPERATOR.id, ADMIN.id], "department": [None, 1, 2],
        "source": [None, "desk"], "purpose": [None, 1, 2], "first": [None, date(2026, 10, 24), date(2026, 11, 2)],
        "last": [None, date(2026, 10, 24), date(2026, 11, 1)],
    }  # fmt: skip
    alone = [Filters(**{name: value}) for name, values in choices.items() for value in values]
    mixed = [Filters(**{name: chance.choice(values) for name, values in choices.items()}) for _ in range(40)]

    for filters in alone + mixed:
        expected = {row.id for row in rows if fits(row, filters)}
        assert {row.id for row in look(200, filters=filters).rows} == expected, filters
    assert any(fits(row, filters) for row in rows for filters in mixed)


def fits(row: Verification, filters: Filters) -> bool:
    day = day_of(row.created_at, SHANGHAI)
    return (
        filters.outcome in (None, row.outcome)
        and filters.operator in (None, row.operator_id)
        and filters.department in (None, row.department_id)
        and filters.source in (None, row.source)
        and filters.purpose in (None, row.purpose_id)
        and (filters.first is None or filters.first <= day)
        and (filters.last is None or day <= filters.last)
    )


@pytest.mark.usefixtures("context")
def test_a_day_is_one_of_the_reporting_zone_to_the_microsecond() -> None:
    midnight = datetime(2026, 11, 1, 16, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    with transaction():
        _before, first, last, _after = store(midnight - tick, midnight, midnight + timedelta(days=1) - tick,
                                             midnight + timedelta(days=1))  # fmt: skip

    day = Filters(first=date(2026, 11, 2), last=date(2026, 11, 2))

    assert [row.id for row in look(10, filters=day).rows] == [last, first]


@pytest.mark.usefixtures("context")
def test_an_operator_sees_only_their_own_with_any_filter_and_any_cursor() -> None:
    with transaction():
        mine = store(NOW, operator_id=OPERATOR.id)
        store(NOW + timedelta(seconds=1), operator_id=COLLEAGUE.id)
        mine += store(NOW + timedelta(seconds=2), operator_id=OPERATOR.id)
    foreign = look(2).older  # an admin's place
    assert foreign

    assert [row.id for row in look(10, user_id=OPERATOR.id).rows] == mine[::-1]
    assert [row.id for row in look(10, foreign, user_id=OPERATOR.id).rows] == mine[:1]
    assert look(10, filters=Filters(operator=COLLEAGUE.id), user_id=OPERATOR.id).rows == []


@given(st.booleans(), st.integers(1, 2**52 - 1), st.integers(0, 2**62 - 1))
@settings(max_examples=100)
def test_a_cursor_is_read_as_it_was_written(older: bool, micros: int, row_id: int) -> None:
    cursor = Cursor(older, micros, row_id)

    assert Cursor.decode(cursor.encode()) == cursor
    assert cursor.at.tzinfo is UTC


@given(st.text() | st.text(st.sampled_from("WzEsMV0bA-_=.%\0")) | st.binary().map(lambda b: b.hex()))
@example("WzEsMSwxXQ")  # [1,1,1]
@example("W10")
@example("W1tbW1tbW1tb")
@example("eyJhIjoxLCJiIjoyLCJjIjozfQ")
@example("WzEsMWUzMDAsMV0")  # a float beyond all bounds
@example("W3RydWUsdHJ1ZSx0cnVlXQ")
@settings(max_examples=300)
def test_any_other_text_is_no_cursor_or_a_harmless_one(text: str) -> None:
    try:
        cursor = Cursor.decode(text)
    except BadCursor:
        return
    assert 0 <= cursor.id < 2**62
    assert datetime(1970, 1, 1, tzinfo=UTC) < cursor.at < datetime(2113, 1, 1, tzinfo=UTC)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_furthest_cursors_are_places_of_the_database_too(app: Flask) -> None:
    with app.app_context():
        for cursor in (Cursor(True, 2**52 - 1, 2**62 - 1), Cursor(False, 2**52 - 1, 1), Cursor(True, 1, 1)):
            assert look(5, cursor.encode()).rows == []
        db.session.remove()
