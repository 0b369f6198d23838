"""Who looked for a person is found back to the first look, in bounded pieces, without a gap and without a duplicate."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from flask import Flask
from sqlalchemy import false, select, text

from tests.audit.trails import sql
from tests.history.rows import store
from tests.history.test_looks import ask, beside
from tests.support.cast import AUDITOR, COLLEAGUE, NOW, Desk
from tests.support.prices import price_of
from webapp.audit import showing, stored
from webapp.audit.trail import LISTED, SYSTEM, Action, AuditRecord, Who, append
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import look_pieces
from webapp.history.look_pieces import Piece, Sought, piece
from webapp.verification.identities import Person

SOMEBODY = Who(COLLEAGUE.id, COLLEAGUE.name, "192.0.2.9", "r")
WANTED = 1_234
NUMBER = "11010519491231002X"
BESIDE = WANTED - 1, WANTED + 1
"""A page that may hold the wanted one by its block, and does not."""


def view(*shown: int) -> int:
    append(SOMEBODY, Action.HISTORY_VIEWED, NOW, shown=shown)
    return db.session.scalar(text("SELECT max(id) FROM audit_record")) or 0


def sought(*ids: int) -> Sought:
    """Somebody of whom no record tells but by what was shown."""
    return Sought(false(), ids, this_instance().keys)


def numbers(found: Piece) -> list[int]:
    return [one.id for one in found.records]


def walked(wanted: Sought, between: Callable[[], object] = lambda: None) -> list[Piece]:
    """All pieces from the newest to the first."""
    pieces = [piece(wanted)]
    while pieces[-1].older is not None:
        between()
        assert len(pieces) < 1_000, "it comes to an end"
        pieces.append(piece(wanted, below=pieces[-1].older))
    return pieces


def smaller(monkeypatch: pytest.MonkeyPatch, **sizes: int) -> None:
    for name, size in sizes.items():
        monkeypatch.setattr(look_pieces, name, size)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The records whose lists are opened from now on."""
    opened: list[int] = []
    holds = look_pieces._holds

    def counting(record: stored.Record, wanted: Sought) -> bool | None:
        opened.append(record.id)
        return holds(record, wanted)

    monkeypatch.setattr(look_pieces, "_holds", counting)
    return opened


@pytest.mark.usefixtures("context")
def test_the_first_look_is_found_behind_pieces_that_hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction():
        first = view(WANTED)
        for _page in range(25):
            view(*BESIDE)
    smaller(monkeypatch, OPENED=10)
    opened = counted(monkeypatch)
    pieces = walked(sought(WANTED))

    assert [numbers(one) for one in pieces] == [[], [], [first]]
    assert len(opened) == len(set(opened)) == 26
    assert [one.reached for one in pieces[:2]] == [first + 16, first + 6], "each says how far it has looked"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("context")
def test_pieces_of_any_size_have_no_gap_and_no_duplicate_both_ways(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    held, direct = [], []
    with transaction():
        for _page in range(120):
            shown = chance.sample(range(WANTED - 6, WANTED + 6), 3)
            one = view(*shown)
            if WANTED in shown:
                held.append(one)
            elif chance.random() < 0.2:
                direct.append(one)
    expected = sorted(held + direct, reverse=True)
    wanted = Sought(AuditRecord.id.in_(direct), [WANTED], this_instance().keys)
    smaller(monkeypatch, SIZE=chance.randint(1, 7), OPENED=chance.randint(1, 9), STRETCH=chance.randint(1, 30),
            STRETCHES=chance.randint(1, 3), AT_ONCE=2)  # fmt: skip

    def meanwhile() -> None:
        with transaction():
            view(WANTED)

    assert [one for found in walked(wanted, meanwhile) for one in numbers(found)] == expected, "a look during paging"
    back, above = [], 0
    while True:
        found = piece(wanted, above=above)
        back += numbers(found)[::-1]
        if found.newer is None:
            break
        above = found.newer
    assert back[: len(expected)] == expected[::-1]
    assert len(back) == len(set(back))


@pytest.mark.usefixtures("context")
def test_a_file_of_many_pieces_counts_once_it_was_fetched_and_only_those_of_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def record(action: Action, export: int, *shown: int) -> int:
        append(SYSTEM, action, NOW, on=("export", export), shown=shown)
        return db.session.scalar(text("SELECT max(id) FROM audit_record")) or 0

    with transaction():
        for shown in (BESIDE, BESIDE, (WANTED,)):
            record(Action.EXPORT_ROWS, 1, *shown)
        fetched = record(Action.EXPORT_FETCHED, 1)
        record(Action.EXPORT_ROWS, 2, *BESIDE)
        record(Action.EXPORT_FETCHED, 2)
        record(Action.EXPORT_ROWS, 2, WANTED)
    smaller(monkeypatch, OPENED=1)

    assert [one for found in walked(sought(WANTED)) for one in numbers(found)] == [fetched]


def test_whoever_changes_a_record_does_not_hide_a_look(app: Flask) -> None:
    with app.app_context(), transaction():
        looks = [view(WANTED, WANTED + 1) for _look in range(4)]
        view(*BESIDE)
    for look, detail in zip(looks, ({LISTED: "1"}, {LISTED: "x"}, {}), strict=False):
        written = str(detail).replace("'", '"')
        sql(app, "UPDATE audit_record SET detail = :detail WHERE id = :look", detail=written, look=look)

    with app.app_context():
        found = piece(sought(WANTED))
    assert (numbers(found), sorted(found.unsure)) == (looks[::-1], looks[:3])


@pytest.mark.usefixtures("context")
def test_a_forged_number_far_away_keeps_nobody_from_the_first_look() -> None:
    with transaction() as session:
        first = view(WANTED)
        for far in (2**62, -(2**62)):
            session.execute(
                text("INSERT INTO audit_record (id, at, actor, action, object_type, success, address, request_id, "
                     "detail) SELECT :far, at, actor, action, '', success, '', '', '{}' FROM audit_record "
                     "WHERE id = :first"), {"far": far, "first": first},
            )  # fmt: skip

    [found] = walked(sought(WANTED))
    assert numbers(found) == [first]


def test_the_page_says_how_far_it_has_looked_and_goes_on_to_the_first_look(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        with transaction():
            [wanted] = store(NOW, person=Person("张三", NUMBER))
            [other] = store(NOW, person=Person("李四", "440524188001010014"))
            first = view(wanted)
            for _page in range(12):
                view(0, other)
        assert showing.block((0, other)) in showing.blocks_of(wanted), "it must be opened to know"
        sql(app, f"UPDATE audit_record SET address = '198.51.100.1' WHERE id = {first}")  # noqa: S608
    smaller(monkeypatch, OPENED=5)
    auditor = Desk(app, AUDITOR)
    pages = [page := ask(auditor, id_number=NUMBER)]
    while below := beside(page, "below"):
        pages.append(page := ask(auditor, id_number=NUMBER, below=below))

    assert ["Looked through so far: back to" in one for one in pages] == [True, True, False]
    assert ["Look further back" in one for one in pages] == [True, True, False]
    assert ["Nothing in this piece" in one for one in pages] == [True, True, False]
    assert ["not ours" in one for one in pages] == [False, False, True]
    assert ["198.51.100.1" in one for one in pages] == [False, False, True]
    assert NUMBER not in "".join(line for line in pages[0].splitlines() if "action=" in line or "href=" in line)
    with app.app_context():
        asked = select(AuditRecord.shown, AuditRecord.object_id).where(AuditRecord.action == Action.LOOKS_VIEWED)
        assert db.session.execute(asked).all() == [(None, None)] * 3, "each piece is recorded, and names nobody found"


@pytest.mark.usefixtures("context")
def test_a_piece_costs_no_more_in_a_larger_trail_near_or_far() -> None:
    def fill(first: int, last: int) -> None:
        with transaction():
            for page in range(first, last):
                append(SOMEBODY, Action.HISTORY_VIEWED, NOW, shown=range(page * 10, page * 10 + 50))
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (FREEZE, ANALYZE)"))

    def found(below: int | None = None) -> Sequence[int]:
        if db.engine.dialect.name == "postgresql":  # as in a trail that is too large to be read whole
            db.session.execute(text("SET LOCAL enable_seqscan = off"))
        return numbers(piece(sought(WANTED), below=below))

    fill(1, 1_000)
    before = price_of(found, "audit_record")
    fill(1_000, 3_000)

    assert len(found()) == 5
    assert price_of(found, "audit_record") <= 1.2 * before + 300
    assert price_of(lambda: found(below=1_000), "audit_record") <= 1.2 * before + 300
