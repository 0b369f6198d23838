"""Reads of the whole ledger by filters: pages by the place between two entries, as quick at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, null, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from webapp.audit.queries import Place
from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db, end_read
from webapp.quota.models import RARE, EntryKind, LedgerEntry

CHUNK = 1_000
FREQUENT = (EntryKind.HOLD, EntryKind.CHARGE)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown; None: not filtered. Days are of the reporting zone, both included."""

    kind: EntryKind | None = None
    supply_only: bool = False
    """Only entries of no call."""
    lot: int | None = None
    actor: int | None = None
    first: date | None = None
    last: date | None = None

    def conditions(self, zone: ZoneInfo) -> list[ColumnElement[bool]]:
        """As conditions of a query."""
        entry = LedgerEntry
        found: list[ColumnElement[bool]] = []
        if self.actor is not None:
            found.append(entry.actor_id == self.actor)
        if self.lot is not None:
            found.append(self._column(entry.lot_id) == self.lot)
        if self.kind is not None:
            found.append(self._column(entry.kind) == self.kind)
            if self._is_rare:  # in the very words of the index, which holds the rare kinds only
                found.append(text(RARE))  # type: ignore[arg-type]
        if self.supply_only:
            found.append(entry.verification_id.is_(None))
        if self.first:
            found.append(entry.at >= start_of(self.first, zone))
        if self.last:
            found.append(entry.at < end_of(self.last, zone))
        return found

    def _column(self, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        """The column; hidden from SQLite where another filter leaves fewer entries, which it would not see."""
        fewer = self.actor is not None or (column is LedgerEntry.lot_id and (self._is_rare or self.supply_only))
        return func.coalesce(column, null()) if fewer else column.expression

    @property
    def _is_rare(self) -> bool:
        # Of one lot releases are not: the lot's own index finds them sooner than the one of all releases.
        dense = FREQUENT if self.lot is None else (*FREQUENT, EntryKind.RELEASE)
        return self.kind is not None and self.kind not in dense


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; `older` is the place to go on from (None: nothing there)."""

    entries: Sequence[LedgerEntry]
    older: Place | None


def page(wanted: Sequence[ColumnElement[bool]], size: int, below: Place | None = None) -> Page:
    """One page of the wanted entries: the next ones below a place."""
    entry, place = LedgerEntry, tuple_(LedgerEntry.at, LedgerEntry.id)
    query = select(entry).where(*wanted).order_by(entry.at.desc(), entry.id.desc()).limit(size + 1)
    found = db.session.scalars(query if below is None else query.where(place < (below.at, below.id))).all()
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], Place(last.at, last.id) if last else None)


def every(wanted: Sequence[ColumnElement[bool]]) -> Iterator[Sequence[LedgerEntry]]:
    """All wanted entries that are there when the first is asked for, newest first, by the thousand, with no transaction
    open between."""
    newest = db.session.scalar(select(func.max(LedgerEntry.id))) or 0
    below: Place | None = None
    while True:
        found = page([*wanted, LedgerEntry.id <= newest], CHUNK, below)
        yield found.entries
        db.session.expunge_all()
        end_read()
        below = found.older
        if below is None:
            return
