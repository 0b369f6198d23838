"""What calls cost: exact by lot, never more or less in the sum than in its parts, and nothing where nobody knows."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from webapp.usage import cost
from webapp.usage.cost import Charged, Cost, price_of

PRICES = {1: price_of(3_000, 1_000), 2: price_of(310, 7), 3: price_of(0, 500), 4: None}
charged = st.lists(
    st.builds(Charged, st.sampled_from(["2026-10", "2026-11"]), st.sampled_from([0, 1, 2, 3, 4]), st.integers(0, 2),
              st.integers(1, 2), st.integers(1, 50)), max_size=30
)  # fmt: skip


def one(lot: int, calls: int) -> Charged:
    return Charged("2026-11", lot, 1, 1, calls)


@given(charged)
def test_the_parts_make_the_whole_whatever_it_is_parted_by(made: list[Charged]) -> None:
    whole = cost.total(made, PRICES)

    assert whole.calls + whole.unpriced == sum(some.calls for some in made)
    assert whole.exact == sum(
        (PRICES[some.lot_id] or 0) * some.calls for some in made if PRICES.get(some.lot_id) is not None
    )
    for parts in (
        cost.by(made, PRICES, lambda some: some.month),
        cost.by(made, PRICES, lambda some: (some.department_id, some.purpose_id)),
        cost.by(made, PRICES, lambda some: some.lot_id),
    ):
        assert sum(part.exact for part in parts.values()) == whole.exact
        assert sum(part.calls for part in parts.values()) == whole.calls
        assert sum(part.unpriced for part in parts.values()) == whole.unpriced
        assert [part.exact for part in parts.values()] == sorted((p.exact for p in parts.values()), reverse=True)


def test_thirds_of_a_fen_do_not_add_up_to_a_wrong_fen() -> None:
    prices = {1: price_of(1, 3)}

    assert cost.total([one(1, 1)] * 3, prices).fen == 1
    assert cost.total([one(1, 1)], prices).fen == 0
    assert Cost(1, Fraction(1, 2)).fen == 1


def test_calls_of_no_lot_and_of_lots_without_a_price_are_told_apart_from_free_ones() -> None:
    found = cost.total([one(0, 2), one(4, 3), one(3, 5)], PRICES)

    assert (found.calls, found.unpriced, found.fen, found.each) == (5, 5, 0, Fraction(0))
    assert cost.total([one(4, 3)], PRICES).each is None


def test_a_lot_without_calls_or_price_has_no_price_of_a_call() -> None:
    assert price_of(None, 100) is None
    assert price_of(100, 0) is None
    assert price_of(3_000, 1_000) == 3


def test_a_match_costs_what_all_priced_calls_cost_over_the_matches_among_them() -> None:
    made = [one(1, 8), one(1, 2), one(4, 100)]

    assert cost.per_match(made, PRICES, {1: 8, 4: 90}) == Fraction(10 * 3, 8)
    assert cost.per_match([one(1, 2)], PRICES, {}) is None
    assert cost.per_match([one(4, 2)], PRICES, {4: 2}) is None


@given(st.dictionaries(st.integers(0, 9), st.integers(1, 50), min_size=1), st.data())
def test_shares_are_whole_calls_that_add_up_and_are_never_more_than_there_are(
    over: dict[int, int], data: st.DataObject
) -> None:
    calls = data.draw(st.integers(0, sum(over.values())))
    shares = cost.spread(calls, over)
    assert sum(shares.values()) == calls
    assert all(0 < shares[key] <= over[key] for key in shares)
    assert all(abs(shares.get(key, 0) - Fraction(calls * number, sum(over.values()))) < 1
               for key, number in over.items())  # fmt: skip


def test_of_nothing_there_is_no_share() -> None:
    assert cost.spread(0, {}) == {}


def test_calls_that_were_booked_on_a_lot_later_are_its_own_on_their_day() -> None:
    first = date(2026, 10, 30)
    days = {(0, 1, 1): [4, 2], (0, 2, 1): [2, 0], (3, 1, 1): [1, 1]}
    lots = {first: {3: 3}, first + timedelta(days=1): {4: 1, 3: 1}, first - timedelta(days=1): {3: 9},
            first + timedelta(days=2): {3: 9}}  # fmt: skip

    assert cost.booked(days, first, lots) == {
        (0, 1, 1): [2, 0], (0, 2, 1): [1, 0], (3, 1, 1): [3, 2], (3, 2, 1): [1, 0], (4, 1, 1): [0, 1],
    }  # fmt: skip
    assert cost.booked({}, first, lots) == {}
    assert days[0, 1, 1] == [4, 2], "what was read stays as it was"
