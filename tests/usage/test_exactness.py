"""Charts are exact at every instant: while calls are counted, moved and folded, no reader ever misses one."""

from __future__ import annotations

import random
from datetime import date, timedelta

from flask import Flask

from tests.support.cast import NOW
from tests.support.waiting import Tally, together
from tests.usage.counting import count, count_many, fold, per_day, plain, rows, totals
from webapp.foundation.database import transaction
from webapp.usage import counters, queries
from webapp.usage.models import UsageDelta

CALLS, WRITERS, MOVES = 40, 3, 25
FIRST, LAST = date(2026, 10, 31), date(2026, 11, 4)


def test_every_read_finds_every_call_exactly_once_while_writers_and_folders_work(context: Flask) -> None:
    """The calls only move between outcomes and days stand still, so each single read must find all of them."""
    count_many(CALLS)
    writers_left = Tally(WRITERS)
    wrong: list[object] = []

    def writer(seed: int) -> None:
        chance, now = random.Random(seed), plain()
        with context.app_context():
            for _ in range(MOVES):
                then = plain(chance.choice(["match", "mismatch", "unknown"]), chance.choice(["yes", "unknown"]))
                with transaction():
                    counters.recount(now, then, NOW, chance.randrange(2000))
                now = then
        writers_left.add(-1)

    def folder() -> None:
        with context.app_context():
            while not finished():
                fold()

    def reader() -> None:
        with context.app_context():
            while not finished():
                found = sum(totals().values()), sum(per_day(FIRST, LAST).values())
                if found != (CALLS, CALLS):
                    wrong.append(found)

    def finished() -> bool:
        return not writers_left.value or bool(wrong)

    together(*(lambda seed=seed: writer(seed) for seed in range(WRITERS)), folder, reader, reader)

    assert wrong == []
    fold()
    assert (sum(totals().values()), rows(UsageDelta)) == (CALLS, 0)


def test_a_read_finds_what_was_committed_before_it_and_nothing_that_was_not_begun(context: Flask) -> None:
    begun, committed, writers_left = Tally(), Tally(), Tally(WRITERS)
    wrong: list[object] = []

    def writer(seed: int) -> None:
        with context.app_context():
            for step in range(MOVES):
                begun.add(1)
                count(at=NOW + timedelta(days=(seed + step) % 3 - 1))
                committed.add(1)
        writers_left.add(-1)

    def folder() -> None:
        with context.app_context():
            while writers_left.value:
                fold()

    def reader() -> None:
        with context.app_context():
            while writers_left.value:
                least = committed.value
                found = sum(totals().values())
                if not least <= found <= begun.value:
                    wrong.append((least, found, begun.value))

    together(*(lambda seed=seed: writer(seed) for seed in range(WRITERS)), folder, reader)

    assert wrong == []
    assert totals() == {("match", "yes"): WRITERS * MOVES}
    assert queries.unknown_calls() == 0
