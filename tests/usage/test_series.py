"""Series for charts hold what was counted: against a count by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from webapp.usage import series
from webapp.usage.latency import BUCKETS, bucket_of, quantile
from webapp.usage.series import OTHERS, OUTCOMES, Series
from webapp.usage.spans import Slot

SLOTS: list[Slot] = [date(2026, 11, day) for day in range(1, 6)]
calls = st.lists(st.tuples(st.sampled_from(SLOTS), st.sampled_from([*OUTCOMES, "1", "2", "3"])), max_size=60)


def lines_of(made: list[tuple[Slot, str]]) -> dict[str, list[int]]:
    return {key: [made.count((slot, key)) for slot in SLOTS] for _slot, key in made}


@given(calls)
def test_each_figure_is_the_number_of_its_calls(made: list[tuple[Slot, str]]) -> None:
    found = series.stack(lines_of(made), OUTCOMES)

    assert {one.key for one in found} == {key for _slot, key in made}
    for one in found:
        assert one.values == [made.count((slot, one.key)) for slot in SLOTS]


@given(calls)
def test_outcomes_come_in_their_order_and_all_else_by_size(made: list[tuple[Slot, str]]) -> None:
    keys = [one.key for one in series.stack(lines_of(made), OUTCOMES)]

    known = [key for key in keys if key in OUTCOMES]
    sizes = [sum(key == one for _slot, one in made) for key in keys if key not in OUTCOMES]
    assert known == sorted(known, key=OUTCOMES.index)
    assert keys[: len(known)] == known
    assert sizes == sorted(sizes, reverse=True)


@given(st.lists(st.lists(st.integers(0, 50), min_size=5, max_size=5), max_size=20))
def test_what_is_too_small_to_be_told_apart_is_added_up_and_nothing_is_lost(values: list[list[int]]) -> None:
    all_of_them = [Series(str(index), one) for index, one in enumerate(values)]

    shown = series.largest(all_of_them)

    assert len(shown) <= series.MOST
    assert [sum(one.values[place] for one in shown) for place in range(5)] == [
        sum(one[place] for one in values) for place in range(5)
    ]
    hidden = [one for one in all_of_them if one not in shown]
    if hidden:
        assert shown[-1].key == OTHERS
        assert max(one.total for one in hidden) <= min(one.total for one in shown[:-1])


def test_a_count_that_was_taken_back_is_no_series() -> None:
    assert series.stack({"match": [0, 0]}) == []


@given(st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5), max_size=4))
def test_lines_of_the_same_kind_are_one_and_nothing_is_lost(values: list[list[int]]) -> None:
    lines = dict(enumerate(values))

    found = series.together(lines, lambda key: key % 2)

    for kind, numbers in found.items():
        assert numbers == [sum(line[place] for key, line in lines.items() if key % 2 == kind) for place in range(5)]
    assert set(found) == {key % 2 for key in lines}
    assert series.added(found.values()) == series.added(values)


@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 23)), max_size=50), st.integers(0, 40),
       st.integers(1, 40), st.integers(0, 23))  # fmt: skip
def test_an_average_week_is_what_was_counted_over_the_hours_that_have_been(
    made: list[tuple[int, int]], lead: int, days: int, begun: int
) -> None:
    """The last of the days has come to the hour `begun`."""
    first = date(2026, 3, 1)
    ends = [days - (hour > begun) for hour in range(24)]
    made = [(ahead, hour) for ahead, hour in made if lead <= ahead < ends[hour]]
    clock = {hour: [made.count((ahead, hour)) for ahead in range(days)] for _ahead, hour in made}

    cells = series.week(clock, first, lead, ends)

    def weekday(ahead: int) -> int:
        return (first + timedelta(days=ahead)).weekday()

    assert list(cells) == sorted({weekday(ahead) for ahead in range(days)})
    for which, hours in cells.items():
        for hour, average in enumerate(hours):
            counted = [ahead for ahead in range(lead, ends[hour]) if weekday(ahead) == which]
            calls = sum(made.count((ahead, hour)) for ahead in counted)
            assert average == (calls / len(counted) if counted else None)


def test_success_is_the_share_of_answers_in_what_is_finished() -> None:
    assert series.success({"match": 2, "mismatch": 1, "refused": 1, "sending": 7}) == 0.75
    assert series.success({"sending": 7}) is None
    assert series.success({"no_such_number": 3}) == 1.0


def test_a_change_from_nothing_is_no_share() -> None:
    assert series.change(3, 0) is None
    assert series.change(3, 2) == 0.5
    assert series.change(1, 2) == -0.5


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=300), st.sampled_from([0.5, 0.95]))
def test_an_estimated_latency_lies_in_the_bucket_of_the_true_one(times: list[int], share: float) -> None:
    found = quantile(Counter(bucket_of(time) for time in times), share)

    rank = share * len(times)
    true = sorted(times)[max(0, -int(-rank // 1) - 1)]
    bound = bucket_of(true)
    lower = max((one for one in BUCKETS if one < bound), default=0)
    assert found is not None
    assert lower <= found <= bound


def test_without_an_answer_there_is_no_latency() -> None:
    assert quantile({}, 0.5) is None
