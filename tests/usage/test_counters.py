"""Counting: deltas, their folding, and sums that are the same before and after."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import event, select

from tests.support.cast import COLLEAGUE, NOW, OPERATOR
from tests.support.waiting import together
from tests.usage.counting import SHANGHAI, count, count_many, fold, per_day, plain, rows, totals
from webapp.foundation.database import db, transaction
from webapp.usage import counters, queries
from webapp.usage.counters import FOLD_BATCH
from webapp.usage.latency import BUCKETS, bucket_of
from webapp.usage.models import LatencyHour, UsageDay, UsageDelta, UsageHour

DAY = date(2026, 11, 2)


def test_a_call_is_counted_before_and_after_folding(context: Flask) -> None:
    count()
    assert (totals(), per_day(DAY, DAY), rows(UsageDay)) == ({("match", "yes"): 1}, {"11-02": 1}, 0)

    fold()

    assert (totals(), per_day(DAY, DAY), rows(UsageDelta)) == ({("match", "yes"): 1}, {"11-02": 1}, 0)
    assert (rows(UsageDay), rows(UsageHour), rows(LatencyHour)) == (1, 1, 0)


def test_what_was_folded_and_what_waits_make_one_sum(context: Flask) -> None:
    count()
    count(plain("mismatch"))
    fold()
    count()
    count(plain("unknown", "unknown"), calls=3)

    assert totals() == {("match", "yes"): 2, ("mismatch", "yes"): 1, ("unknown", "unknown"): 3}
    assert queries.unknown_calls() == 3


def test_a_call_moves_from_one_outcome_to_another_wherever_the_first_count_lies(context: Flask) -> None:
    sending, match = plain("sending", "unknown"), plain()
    for folded_between in (True, False):
        count(sending)
        if folded_between:
            fold()
        with transaction():
            counters.recount(sending, match, NOW, 120)

    assert totals() == {("match", "yes"): 2}
    fold()
    assert totals() == {("match", "yes"): 2}
    assert per_day(DAY, DAY) == {"11-02": 2}


def test_a_call_that_was_under_way_at_a_fold_leaves_no_row_of_nothing(context: Flask) -> None:
    sending = plain("sending", "unknown")
    for _ in range(2):
        count(sending)
        fold()
        with transaction():
            counters.recount(sending, plain(), NOW, 120)
        fold()

    db.session.rollback()
    assert [(row.outcome, row.calls) for row in db.session.scalars(select(UsageDay))] == [("match", 2)]
    assert [(row.outcome, row.calls) for row in db.session.scalars(select(UsageHour))] == [("match", 2)]


def test_what_is_taken_back_before_it_was_added_leaves_no_row_either(context: Flask) -> None:
    """Two folders may take the two deltas of a call in any order."""
    for calls in (-1, +1):
        count(plain("sending", "unknown"), calls=calls)
        fold()
    assert (rows(UsageDay), rows(UsageHour)) == (0, 0)


def test_a_call_stays_on_the_day_it_was_made_when_its_outcome_comes_the_next(context: Flask) -> None:
    late = NOW.replace(hour=15, minute=59)
    count(plain("sending", "unknown"), at=late)

    with transaction():
        counters.recount(plain("sending", "unknown"), plain(), late, 90_000)

    assert per_day(DAY, DAY + timedelta(days=1)) == {"11-02": 1}


def test_folding_again_changes_nothing(context: Flask) -> None:
    count(latency_ms=10)
    fold()
    stored = (rows(UsageDay), rows(UsageHour), rows(LatencyHour))

    for _ in range(3):
        assert counters.fold(SHANGHAI) is False

    assert totals() == {("match", "yes"): 1}
    assert (rows(UsageDay), rows(UsageHour), rows(LatencyHour)) == stored


def test_a_fold_that_fails_folds_nothing(context: Flask) -> None:
    count(calls=5)

    def fail(_session: object) -> None:
        raise ZeroDivisionError

    event.listen(db.session, "before_commit", fail)
    try:
        with pytest.raises(ZeroDivisionError):
            counters.fold(SHANGHAI)
    finally:
        event.remove(db.session, "before_commit", fail)

    assert (totals(), rows(UsageDelta), rows(UsageDay)) == ({("match", "yes"): 5}, 1, 0)


def test_a_large_backlog_is_folded_in_batches(context: Flask) -> None:
    count_many(FOLD_BATCH + 1)

    assert counters.fold(SHANGHAI) is True, "there may be more"
    assert rows(UsageDelta) == 1
    assert counters.fold(SHANGHAI) is False

    assert totals() == {("match", "yes"): FOLD_BATCH + 1}


def test_two_folders_at_once_fold_every_delta_once(context: Flask) -> None:
    count_many(2 * FOLD_BATCH)

    def folder() -> None:
        with context.app_context():
            fold()

    together(folder, folder, folder)

    assert totals() == {("match", "yes"): 2 * FOLD_BATCH}
    assert (rows(UsageDelta), rows(UsageDay)) == (0, 1)


def test_the_dimensions_are_kept_apart_and_add_up(context: Flask) -> None:
    count(plain(operator_id=OPERATOR.id), calls=2)
    count(plain(operator_id=COLLEAGUE.id), calls=3)
    count(plain(department_id=0, purpose_id=2), calls=4)
    for _ in ("before folding", "after folding"):
        assert per_day(DAY, DAY) == {"11-02": 9}
        assert per_day(DAY, DAY, operator=OPERATOR.id) == {"11-02": 6}
        assert per_day(DAY, DAY, operator=COLLEAGUE.id) == {"11-02": 3}
        fold()
    assert rows(UsageDay) == 3


def test_a_latency_falls_into_the_first_bucket_that_holds_it() -> None:
    assert [bucket_of(ms) for ms in (0, 1, 10)] == [10, 10, 10]
    for lower, upper in pairwise(BUCKETS):
        assert (bucket_of(lower), bucket_of(lower + 1), bucket_of(upper)) == (lower, upper, upper)
    assert bucket_of(10**9) == BUCKETS[-1], "what is slower falls into the last"


def test_latencies_become_a_histogram_of_their_hour(context: Flask) -> None:
    for at in (NOW, NOW + timedelta(minutes=59), NOW + timedelta(hours=1)):
        count(at=at, latency_ms=99)
    count(at=NOW, latency_ms=150)
    count(at=NOW)
    fold()
    count(at=NOW, latency_ms=100)
    fold()

    stored = db.session.scalars(select(LatencyHour).order_by(LatencyHour.hour, LatencyHour.bucket)).all()

    histogram = [(row.hour, row.bucket, row.calls) for row in stored]
    assert histogram == [(NOW, 100, 3), (NOW, 150, 1), (NOW + timedelta(hours=1), 100, 1)]


def test_days_outside_the_asked_ones_are_left_out(context: Flask) -> None:
    for days in range(-2, 3):
        count(at=NOW + timedelta(days=days))
    for _ in ("before folding", "after folding"):
        assert per_day(DAY - timedelta(days=1), DAY + timedelta(days=1)) == {"11-01": 1, "11-02": 1, "11-03": 1}
        fold()
