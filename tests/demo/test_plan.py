"""How a made-up year is planned: whom it asks about, when, and what is bought; all without a database."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from functools import cache
from random import Random

import pytest

from webapp.demo import purchases, year
from webapp.demo.outcomes import KINDS, Kind
from webapp.demo.purchases import Need
from webapp.demo.register import SIZE, STRIDE, Register, Way
from webapp.demo.stock import Stock, Stocked
from webapp.persons import id_numbers
from webapp.quota.catalogue import CATALOGUE
from webapp.usage.calendar import Calendar, DayKind
from webapp.usage.notices import known_to, noticed
from webapp.vendor.contract import Derived, Outcome
from webapp.vendor.sandbox import answers, people
from webapp.vendor.sandbox.answers import Asked
from webapp.verification.identities import Person

TODAY = date(2026, 3, 20)
DAYS = [TODAY - timedelta(days=back) for back in range(364, -1, -1)]
CALENDAR = Calendar(noticed(), known_to())
register = cache(Register)
KIND_OF = {day: CALENDAR.kind(day) for day in DAYS}


def test_the_people_are_those_of_the_sandboxs_register_and_nobody_real() -> None:
    for index in range(0, 5_000_000, 4_999):
        for way in Way:
            name, number, *_rest = register().person(index, way)

            assert id_numbers.faults(number, TODAY) is None
            assert number[:2] == "10", "no province was ever given these digits"
            asked = Asked(name, number, TODAY)
            expected = {Way.RIGHT: "0000", Way.MISTYPED: "0008", Way.NOBODY: "0007"}
            if way in expected:
                assert people.lookup(name, number) == expected[way]
                assert json.loads(answers.ordinary(asked).body)["respCode"] == expected[way]
            assert number[-4:-1] != "000"


def test_no_two_people_have_one_number() -> None:
    numbers = {register().person(index, Way.RIGHT)[1] for index in range(50_000)}

    assert len(numbers) == 50_000
    assert SIZE % STRIDE, "a stride that divides the size would come back too soon"
    assert SIZE > 20_000_000


@pytest.mark.parametrize("one", KINDS, ids=lambda one: one.code)
@pytest.mark.parametrize("reference", ["", "HR26-0000007"])
def test_what_is_sealed_is_what_an_answer_of_the_sandbox_leaves(one: Kind, reference: str) -> None:
    name, number, *_rest = register().person(4711, one.way)
    body = answers.respond(one.code)(Asked(name, number, TODAY)).body if one.answered else b""
    said = json.loads(body or b"{}")
    derived = Derived(**{field: said.get(field, "") for field in asdict(Derived())})
    expected = Person(name, number, reference).answered(derived, body)

    filled = one.sealed("%(reference)s" if reference else "") % {
        "name": name, "number": number, "reference": reference, "birthday": number[6:14],
        "sex": people.sex(number), "age": people.age(number, TODAY),
    }  # fmt: skip

    assert Person(**json.loads(filled)) == expected


def test_most_match_some_do_not_and_few_are_unknown() -> None:
    shares = {kind.outcome: kind.share for kind in KINDS}

    assert sum(shares.values()) == 10_000
    assert shares[Outcome.MATCH] > 8_000 > shares[Outcome.MISMATCH] > shares[Outcome.UNKNOWN] > 0


def test_calls_are_shared_out_to_the_last_one() -> None:
    for calls in (1, 7, 365, 20_000, 5_000_000):
        found = year.spread(calls, year.weights(DAYS, KIND_OF, Random(3)))
        assert sum(found) == calls
        assert min(found) >= 0
    assert year.spread(10, [1.0, 0.0, 1.0]) == [5, 0, 5]


def test_offices_rest_at_weekends_and_on_holidays_work_on_shifted_workdays_and_grow() -> None:
    found = dict(zip(DAYS, year.weights(DAYS, KIND_OF, Random(3)), strict=True))

    def mean(*kinds: DayKind, weekend: bool | None = None, of: list[date] = DAYS) -> float:
        some = [found[day] for day in of if KIND_OF[day] in kinds and weekend in (None, day.weekday() > 4)]
        return sum(some) / len(some)

    plain = mean(DayKind.ORDINARY, weekend=False)
    assert mean(DayKind.ORDINARY, weekend=True) < 0.4 * plain
    assert mean(DayKind.HOLIDAY) < 0.2 * plain
    assert mean(DayKind.WORKDAY, weekend=True) > 0.6 * plain
    last, first = (mean(DayKind.ORDINARY, weekend=False, of=days) for days in (DAYS[-60:], DAYS[:60]))
    assert 1.25 < last / first < 1.7
    assert {year.weights(DAYS, dict.fromkeys(DAYS, DayKind.CLOSED), Random(3))[0]} == {0.0}


def test_a_day_that_is_not_over_has_no_calls_from_later_hours() -> None:
    assert not any(year.profile_until(year.OPENS))
    assert sum(year.profile_until(48)) < sum(year.PROFILE) == sum(year.profile_until(year.QUARTERS))
    assert not any(year.profile_until(48)[48:])


@pytest.mark.parametrize("calls", [40, 3_000, 150_000])
@pytest.mark.parametrize("length", [1, 12, 13, 90, 365])
def test_enough_is_bought_and_not_all_of_it_is_used(calls: int, length: int) -> None:
    days = DAYS[-length:]
    need = Need(days[0], year.spread(calls, year.weights(days, KIND_OF, Random(5))))
    stock, lapsed, prices = Stock(lambda lot: (lot.expires_on, lot.bought_on, lot.id)), 0, []
    for index, day in enumerate(days):
        lapsed += stock.lapse(day)
        stock.begin(day)
        for number, one in enumerate(purchases.bought(need, index, stock.remaining())):
            left = one.calls - one.used_before
            stock.add(Stocked(len(stock.lots) + number + 1, one.bought_on, one.expires_on, left))
            prices.append((one.calls, one.price_fen))
            assert 0 <= one.used_before < one.calls
            assert one.bought_on <= day <= one.expires_on
        stock.begin(day)
        assert all(stock.hold()[0] is not None for _call in range(need.calls[index])), f"nothing left on {day}"

    assert set(prices[1:]) <= set(CATALOGUE)
    if length == 365 and calls >= 3_000:
        assert len(prices) >= 4
        assert lapsed >= 1


def test_a_stock_moves_as_the_ledger_does() -> None:
    stock = Stock(lambda lot: (lot.expires_on, lot.id))
    for number, available in ((1, 1), (2, 2)):
        stock.add(Stocked(number, TODAY, TODAY + timedelta(days=number), available))
    stock.begin(TODAY)

    assert [stock.hold() for _call in range(4)] == [(1, 0), (2, 1), (2, 0), (None, 0)]
    assert (stock.charge(2), stock.release(1), stock.charge(None), stock.release(None)) == (0, 1, 0, 0)
    assert stock.hold() == (1, 0), "the lot that expires first has a call again"
    assert stock.release(1) == 1
    assert [(lot.available, lot.held, lot.charged) for lot in stock.lots.values()] == [(1, 0, 0), (0, 1, 1)]
    assert (stock.lapse(TODAY + timedelta(days=1)), stock.lapse(TODAY + timedelta(days=2))) == (False, True)
