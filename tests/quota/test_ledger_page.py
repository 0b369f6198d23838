"""The whole ledger by filters: exactly the entries that fit, in pages that miss none, and the same as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member
from tests.verification.calls import MATCH, REFUSED, ask, somebody, who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.quota.ledger_queries import Filters, page
from webapp.quota.ledger_views import SIZE
from webapp.quota.models import EntryKind, LedgerEntry

Open = Callable[[Member | None], Desk]
ENGLISH = {"Accept-Language": "en"}
CALLS = 30


@pytest.fixture
def told(app: Flask) -> list[LedgerEntry]:
    """A ledger of two lots, two days, two persons and several kinds: its entries, newest first."""
    now = utc_now()
    with app.app_context():
        for calls, order, at, by in ((20, "=MK7", now - timedelta(days=3), ADMIN), (90, "", now, COLLEAGUE)):
            with transaction():
                purchase = Purchase(
                    calls, at.date() - timedelta(days=9), now.date() + timedelta(days=calls), None, order
                )
                ledger.record_purchase(purchase, who(by), at)
    for number in range(CALLS):
        at = now - timedelta(minutes=number if number < 5 else 3 * 24 * 60 - number)
        ask(app, somebody(number), lambda *_, number=number: REFUSED if number % 7 == 0 else MATCH,
            clock=lambda at=at: at)  # type: ignore[misc]  # fmt: skip
    with app.app_context():
        with transaction():
            ledger.correct(1, 2, "点错了", who(ADMIN), now)
        return list(db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.at.desc(), LedgerEntry.id.desc())))


def walked(desk: Desk, asked: dict[str, str]) -> list[str]:
    """The kinds of all entries of all pages."""
    answer, kinds = desk.get("/quota/ledger", query_string=asked, headers=ENGLISH), list[str]()
    while True:
        assert answer.status_code == 200
        found = re.findall(r'data-entry="(\w+)"', answer.text)
        assert len(found) <= SIZE
        kinds += found
        older = re.search(r'href="([^"]*)" rel="next"', answer.text)
        if older is None:
            return kinds
        answer = desk.get(older[1].replace("&amp;", "&"), headers=ENGLISH)


def filed(desk: Desk, asked: dict[str, str]) -> list[list[str]]:
    answer = desk.post(f"/quota/ledger/file?{urlencode(asked)}", {}, headers=ENGLISH)
    assert (answer.status_code, answer.mimetype, answer.data[:3]) == (200, "text/csv", b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_each_filter_leaves_exactly_its_entries_on_pages_and_in_the_file(
    app: Flask, desk: Open, told: list[LedgerEntry]
) -> None:
    with app.app_context():
        zone = this_instance().settings.zone
    made = {one.id for one in told if one.verification_id and one.actor_id is None}
    today = day_of(utc_now(), zone).isoformat()
    fits: list[tuple[dict[str, str], Callable[[LedgerEntry], bool]]] = [
        ({}, lambda one: True),
        ({"kind": "hold"}, lambda one: one.kind == "hold"),
        ({"kind": "release"}, lambda one: one.kind == "release"),
        ({"kind": "correction"}, lambda one: one.kind == "correction"),
        ({"kind": "supply"}, lambda one: one.verification_id is None),
        ({"lot": "2"}, lambda one: one.lot_id == 2),
        ({"lot": "1", "kind": "release"}, lambda one: one.lot_id == 1 and one.kind == "release"),
        ({"person": str(ADMIN.id)}, lambda one: one.actor_id == ADMIN.id),
        ({"person": str(ADMIN.id), "lot": "1", "kind": "purchase"},
         lambda one: one.actor_id == ADMIN.id and one.kind == "purchase"),
        ({"from": today}, lambda one: day_of(one.at, zone).isoformat() >= today),
        ({"to": today, "from": today, "lot": "1"},
         lambda one: day_of(one.at, zone).isoformat() == today and one.lot_id == 1),
        ({"person": str(OPERATOR.id)}, lambda one: one.id in made),
        ({"person": str(OPERATOR.id), "kind": "release", "lot": "1"},
         lambda one: one.id in made and one.kind == "release" and one.lot_id == 1),
        ({"person": str(OPERATOR.id), "from": today, "to": today},
         lambda one: one.id in made and day_of(one.at, zone).isoformat() == today),
        ({"person": str(OPERATOR.id), "kind": "supply"}, lambda one: False),
        ({"person": str(OPERATOR.id), "kind": "correction"}, lambda one: False),
        ({"person": str(COLLEAGUE.id)}, lambda one: one.actor_id == COLLEAGUE.id),
    ]  # fmt: skip
    for asked, fit in fits:
        expected = [one for one in told if fit(one)]
        assert walked(desk(AUDITOR), asked) == [one.kind for one in expected], asked
        assert [row[0] for row in filed(desk(AUDITOR), asked)[1:]] == [str(one.id) for one in expected], asked


def test_the_file_says_what_the_page_says_and_nothing_that_is_calculated(
    app: Flask, desk: Open, told: list[LedgerEntry]
) -> None:
    head, correction = filed(desk(ADMIN), {"kind": "correction"})
    assert (head[1], head[4], head[-1]) == ("Time (Asia/Shanghai)", "Lot", "Reason")
    entry = next(one for one in told if one.kind == "correction")
    assert correction[2:8] == ["Correction", "correction", "'=MK7", "1", "2", str(entry.available_after)]
    assert correction[8:] == [ADMIN.name, "", "点错了"]


@pytest.mark.parametrize(
    "asked",
    [{"kind": "theft"}, {"lot": "99"}, {"lot": "x"}, {"person": "0"}, {"from": "2026-13-01"},
     {"from": "2026-11-02", "to": "2026-11-01"}],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_shows_nothing(desk: Open, told: list[LedgerEntry], asked: dict[str, str]) -> None:
    answer = desk(ADMIN).get("/quota/ledger", query_string=asked)
    assert answer.status_code == 422
    assert "data-entry" not in answer.text
    assert desk(ADMIN).post(f"/quota/ledger/file?{urlencode(asked)}", {}).status_code == 400


def test_a_place_that_is_none_is_refused(desk: Open) -> None:
    assert desk(ADMIN).get("/quota/ledger?below=yesterday").status_code == 400


def test_admins_and_auditors_find_it_beside_the_newest_entries(desk: Open, told: list[LedgerEntry]) -> None:
    assert 'href="/quota/ledger"' in desk(AUDITOR).get("/quota").text
    assert 'href="/quota/ledger?lot=1"' in desk(ADMIN).get("/quota/lots/1").text
    assert "/quota/ledger" not in desk(OPERATOR).get("/quota").text
    assert desk(OPERATOR).post("/quota/ledger/file", {}).status_code == 403


PLANS = [
    (Filters(), "at_id"),
    (Filters(kind=EntryKind.HOLD), "at_id"),
    (Filters(kind=EntryKind.CORRECTION), "rare"),
    (Filters(kind=EntryKind.RELEASE), "rare"),
    (Filters(kind=EntryKind.RELEASE, lot=1), "lot_id_at_id"),
    (Filters(kind=EntryKind.LAPSE, lot=1), "rare"),
    (Filters(supply_only=True), "no_call"),
    (Filters(supply_only=True, lot=1), "no_call"),
    (Filters(lot=1), "lot_id_at_id"),
    (Filters(lot=1, kind=EntryKind.CHARGE), "lot_id_at_id"),
    (Filters(actor=1, supply_only=True), "person"),
    (Filters(actor=1, lot=1, kind=EntryKind.PURCHASE), "person"),
]
DAY = date(2026, 11, 2)
OF_PERSONS = [
    Filters(actor=1),
    Filters(actor=1, lot=1),
    Filters(actor=1, kind=EntryKind.RELEASE),
    Filters(actor=1, kind=EntryKind.CHARGE, lot=1, first=DAY, last=DAY),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("wanted", "index"), PLANS)
def test_every_filter_is_served_in_order_by_an_index(app: Flask, wanted: Filters, index: str) -> None:
    (steps,) = plans(app, wanted)
    assert f"ix_ledger_entry_{index} " in f"{steps[0]} "
    assert not any("TEMP B-TREE" in step for step in steps)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("wanted", OF_PERSONS)
def test_what_a_person_decided_and_the_calls_a_person_made_are_each_found_in_order_by_an_index(
    app: Flask, wanted: Filters
) -> None:
    """Of calls made at the same instant the last entry comes first: only these few are put in order."""
    decided, made = plans(app, wanted)
    assert "ix_ledger_entry_person " in f"{decided[0]} "
    assert not any("TEMP B-TREE" in step for step in decided)
    assert "ix_verification_operator_id_created_at_id " in f"{made[0]} "
    assert "uq_ledger_entry_verification_id_kind " in f"{made[1]} "
    assert "USE TEMP B-TREE FOR ORDER BY" not in made, "SQLite says which terms it has to put in order"


def plans(app: Flask, wanted: Filters) -> list[list[str]]:
    """The steps in which SQLite finds a later page, query by query."""
    with app.app_context():
        zone, found = this_instance().settings.zone, []
        for query, at in wanted.queries(zone):
            later = query.where(at <= utc_now()).order_by(at.desc(), LedgerEntry.id.desc()).limit(51)
            compiled = later.compile(db.engine, compile_kwargs={"literal_binds": True})
            found.append([str(row[-1]) for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))])
        assert page(wanted, zone, 5).entries == []
    return found


def test_who_made_a_call_acts_in_its_entries_and_operators_see_only_their_own(
    app: Flask, desk: Open, told: list[LedgerEntry]
) -> None:
    held = filed(desk(AUDITOR), {"kind": "hold"})
    assert {row[8] for row in held[1:]} == {OPERATOR.name}
    ask(app, somebody(99), lambda *_: MATCH, by=COLLEAGUE)
    assert by(desk(ADMIN).get("/quota").text)[:3] == [COLLEAGUE.name, COLLEAGUE.name, ADMIN.name]
    assert by(desk(OPERATOR).get("/quota").text)[:5] == ["", "", ADMIN.name, OPERATOR.name, OPERATOR.name]


def by(page: str) -> list[str]:
    """Who acted, row by row."""
    return re.findall(r'<td class="text by">(.*?)</td>', page)
