"""For random people and filters the pages, walked either way, are what a plain filter over opened rows gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.history.rows import store
from tests.support.cast import ADMIN, COLLEAGUE, NOW, OPERATOR
from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import facts, search_keys
from webapp.history.filters import OLDEST, Cursor, Filters
from webapp.history.queries import matching, page
from webapp.persons.id_numbers import check_character
from webapp.receipts import operations as receipts
from webapp.vendor.contract import Billed, Outcome
from webapp.verification import purposes, references
from webapp.verification.identities import Person, open_person
from webapp.verification.models import LegalBasis, Reuse, Verification
from webapp.verification.purposes import Terms

ROWS, DAYS = 220, 6
NAMES = ("陈小满", "陈小月", "陈大文", "林知远", "欧阳思远", "古丽娜尔·演练", "演练长名甲乙丙丁戊己庚辛壬癸")
PLACES = (("演练省", "演练市"), ("演练省", "示例市"), ("示例省", "示例市"), ("", ""))
REFERENCES = ("", "", "业务-7788", "2024", "陈小")
SHANGHAI = ZoneInfo("Asia/Shanghai")
SOURCES = ("desk", "batch", "gateway")


@dataclass(frozen=True, slots=True)
class Kept:
    """A verification with all that it can be found by."""

    row: Verification
    person: Person
    reused_for: frozenset[str]
    receipt: str


@pytest.fixture
def kept(context: object, monkeypatch: pytest.MonkeyPatch) -> list[Kept]:
    """Verifications of few people in every mixture; so few rows are looked at that every way to find them is gone."""
    monkeypatch.setattr(facts, "LOOKED_AT", 12)
    monkeypatch.setattr(search_keys, "LOOKED_AT", 25)
    chance = random.Random(6)
    with transaction():
        for number in (2, 3):
            purposes.add(Terms(f"用途{number}", f"Purpose {number}", LegalBasis.CONTRACT, False, 24, 1, 1), SYSTEM, NOW)
    with transaction():
        for place in range(ROWS):
            at = NOW + timedelta(seconds=place * DAYS * 86_400 // ROWS + chance.randrange(-1_800, 1_800))
            province, city = chance.choice(PLACES)
            born, serial = chance.choice(("19900308", "20010412")), chance.randrange(1, 4)
            body = f"1001{chance.choice(('01', '02'))}{born}{serial:03}"
            person = Person(chance.choice(NAMES), body + check_character(body), chance.choice(REFERENCES), province,
                            city)  # fmt: skip
            store(at, person=person, outcome=chance.choice([*Outcome]), billed=chance.choice([*Billed]),
                  source=chance.choice(SOURCES), operator_id=chance.choice((OPERATOR, COLLEAGUE, ADMIN)).id,
                  department_id=chance.choice((1, 2, None)), purpose_id=chance.choice((1, 1, 2)),
                  request_id=f"0A1B{place:04}-C0DE-4444")  # fmt: skip
    return [
        _with_papers(row, chance) for row in db.session.scalars(select(Verification).order_by(Verification.id)).all()
    ]


def _with_papers(row: Verification, chance: random.Random) -> Kept:
    sealer, person, reused = this_instance().sealer, open_person(row.id, this_instance().sealer), frozenset[str]()
    assert person is not None
    receipt = ""
    if chance.random() < 0.1:
        with transaction() as session:
            reuse = Reuse(at=NOW, verification_id=row.id, operator_id=OPERATOR.id, consent=True, guardian_consent=False)
            session.add(reuse)
            session.flush()
            references.keep(reuse, "沿用-1", sealer)
        reused = frozenset({"沿用-1"})
    if row.outcome == Outcome.MATCH and chance.random() < 0.5:
        receipt = receipts.issue(row.id, SYSTEM, this_instance(), NOW)
    return Kept(row, person, reused, receipt)


def fits(one: Kept, wanted: Filters, viewer: User) -> bool:
    row, person, day = one.row, one.person, day_of(one.row.created_at, SHANGHAI)
    return (
        (viewer.id == ADMIN.id or row.operator_id == viewer.id)
        and wanted.outcome in (None, row.outcome)
        and wanted.billed in (None, row.billed)
        and wanted.operator in (None, row.operator_id)
        and wanted.department in (None, row.department_id)
        and wanted.source in (None, row.source)
        and wanted.purpose in (None, row.purpose_id)
        and (wanted.first is None or wanted.first <= day)
        and (wanted.last is None or day <= wanted.last)
        and wanted.province in (None, person.province)
        and wanted.city in (None, person.city)
        and (wanted.search is None or is_meant(one, wanted.search))
    )


def is_meant(one: Kept, text: str) -> bool:
    person, number = one.person, one.person.number
    names = (len(text) > 1 and person.name.startswith(text)) if len(text) <= 10 else person.name == text
    numbers = {number, number[-4:]} | ({number[:6] + number[8:17]} if number[6:8] == "19" else set())
    others = {person.reference, one.row.request_id, one.receipt} | one.reused_for
    return names or text in (numbers | others) - {""}


def texts(kept: list[Kept]) -> st.SearchStrategy[str]:
    """What somebody may look for: of one who is there, or of nobody."""
    one = st.sampled_from(kept)
    beginnings = st.tuples(st.sampled_from(NAMES), st.integers(2, 10)).map(lambda drawn: drawn[0][: drawn[1]])
    number = one.map(lambda it: it.person.number)
    return st.one_of(
        beginnings, st.sampled_from(NAMES), number, number.map(lambda it: it[-4:]),
        number.map(lambda it: it[:6] + it[8:17]), st.sampled_from(["业务-7788", "2024", "沿用-1", "陈小", "没有此人"]),
        one.map(lambda it: it.row.request_id), one.map(lambda it: it.receipt).filter(bool),
        st.sampled_from(["%", "_" * 4, "陈%", "陈_", "' OR 1=1 --", "🙂"]),
    )  # fmt: skip


def wanted(kept: list[Kept]) -> st.SearchStrategy[Filters]:
    day = st.none() | st.integers(-1, DAYS + 1).map(lambda ahead: date(2026, 11, 2) + timedelta(days=ahead))

    def maybe(*values: object) -> st.SearchStrategy[object]:
        return st.none() | st.sampled_from(values)

    return st.builds(
        Filters, outcome=maybe(*Outcome), billed=maybe(*Billed), source=maybe(*SOURCES), purpose=maybe(1, 2, 3),
        operator=maybe(ADMIN.id, OPERATOR.id, COLLEAGUE.id), department=maybe(1, 2), first=day, last=day,
        province=maybe("演练省", "示例省"), search=st.none() | texts(kept),
    ).flatmap(lambda it: st.just(it) if it.province is None else st.builds(  # a city belongs to its province
        Filters, **{name: st.just(getattr(it, name)) for name in it.__slots__ if name != "city"},
        city=maybe("演练市", "示例市"),
    ))  # fmt: skip


def walked(filters: Filters, viewer: User, size: int, start: Cursor | None) -> Iterator[list[int]]:
    cursor, seen = start, 0
    while True:
        here = page(filters, viewer, this_instance(), size, cursor)
        yield [row.id for row in here.rows]
        onward = here.newer if start is OLDEST else here.older
        if onward is None:
            return
        cursor, seen = Cursor.decode(onward), seen + 1
        assert seen < 2 * ROWS, "the pages do not end"


def in_order(found: list[Kept], filters: Filters) -> list[int]:
    def place(one: Kept) -> tuple[datetime | int, int]:
        by_number = filters.search is not None or filters.province is not None
        return (0 if by_number else one.row.created_at, one.row.id)

    return [one.row.id for one in sorted(found, key=place, reverse=True)]


def alone(one: Kept) -> list[Filters]:
    """Each filter by itself, a city in its province, as this one passes it."""
    row, person, day = one.row, one.person, day_of(one.row.created_at, SHANGHAI)
    each: dict[str, Any] = {
        "outcome": row.outcome, "billed": row.billed, "source": row.source, "purpose": row.purpose_id,
        "operator": row.operator_id, "department": row.department_id, "first": day, "last": day,
        "province": person.province, "search": person.number,
    }  # fmt: skip
    return [*(Filters(**{name: value}) for name, value in each.items()),
            Filters(province=person.province, city=person.city)]  # fmt: skip


def test_pages_are_what_a_plain_filter_over_opened_rows_gives(kept: list[Kept]) -> None:
    viewers = [db.session.get_one(User, member.id) for member in (ADMIN, OPERATOR)]

    def compare(filters: Filters, viewer: User, size: int) -> int:
        expected = in_order([one for one in kept if fits(one, filters, viewer)], filters)

        down = list(walked(filters, viewer, size, None))
        up = list(walked(filters, viewer, size, OLDEST))

        assert [number for numbers in down for number in numbers] == expected
        assert [number for numbers in reversed(up) for number in numbers] == expected
        plain = db.session.scalars(matching(filters, viewer, this_instance()))
        assert {row.id for row in plain} == set(expected)
        return len(expected)

    @given(wanted(kept), st.sampled_from(viewers), st.sampled_from([1, 3, 10, 50]))
    @settings(max_examples=250, phases=[Phase.generate])  # to shrink one takes minutes
    def check(filters: Filters, viewer: User, size: int) -> None:
        compare(filters, viewer, size)

    check()
    whole = next(one for one in kept if one.row.department_id and one.person.city)
    named = {name for filters in alone(whole) for name in filters.__slots__ if getattr(filters, name) is not None}
    assert named == set(Filters.__slots__)
    for filters in alone(whole):
        assert compare(filters, viewers[0], 10) > 0, "every filter lets something through"
