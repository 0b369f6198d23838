"""Reads of the whole ledger by filters: pages by the place between two entries, as quick at any depth.

An entry of a call that nobody else decided belongs to who made the call. Asked for a person, such entries stand where
their call does: moments before themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, column, func, null, select, table, text, tuple_

from webapp.audit.queries import Place
from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import UtcDateTime, db, end_read
from webapp.quota.models import RARE, EntryKind, LedgerEntry

CALLS = table("verification", column("id"), column("operator_id"), column("created_at", UtcDateTime()))
"""What the ledger needs to know of calls, which are of the floor above."""
OF_CALLS = (EntryKind.HOLD, EntryKind.CHARGE, EntryKind.RELEASE)
ANSWERED = timedelta(days=1)
"""Every call is answered or given up long before, whatever the clock did meanwhile."""
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

    def queries(self, zone: ZoneInfo) -> list[tuple[Select[LedgerEntry, datetime], ColumnElement[datetime]]]:
        """Each of its entries is found by one of these queries, the newest first by the instant at which it stands."""
        entry, call, wanted = LedgerEntry, CALLS.c, self._conditions(zone)
        entries = select(entry, entry.at.label("stands")).where(*wanted)
        if self.actor is None:
            return [(entries, entry.at.expression)]
        decided = entries.where(entry.actor_id == self.actor), entry.at.expression
        if self.supply_only or (self.kind is not None and self.kind not in OF_CALLS):
            return [decided]
        made = select(entry, call.created_at.label("stands")).join(CALLS, call.id == entry.verification_id)
        within = call.operator_id == self.actor, _hidden(entry.actor_id).is_(None), *self._calls_within(zone)
        return [decided, (made.where(*within, *wanted), call.created_at)]

    def _conditions(self, zone: ZoneInfo) -> list[ColumnElement[bool]]:
        """All but the person, as conditions of a query; hidden from SQLite where another filter leaves fewer entries,
        which it would not see."""
        entry, of_person = LedgerEntry, self.actor is not None
        kind, at = (_hidden(one) if of_person else one.expression for one in (entry.kind, entry.at))
        found: list[ColumnElement[bool]] = []
        if self.lot is not None:
            hide = of_person or self._is_rare or self.supply_only
            found.append((_hidden(entry.lot_id) if hide else entry.lot_id) == self.lot)
        if self.kind is not None:
            found.append(kind == self.kind)
            if self._is_rare and not of_person:  # in the very words of the index, which holds the rare kinds only
                found.append(text(RARE))  # type: ignore[arg-type]
        if self.supply_only:
            found.append(entry.verification_id.is_(None))
        if self.first:
            found.append(at >= start_of(self.first, zone))
        if self.last:
            found.append(at < end_of(self.last, zone))
        return found

    def _calls_within(self, zone: ZoneInfo) -> Iterator[ColumnElement[bool]]:
        """Where calls lie whose entries are of these days."""
        if self.first:
            yield CALLS.c.created_at >= start_of(self.first, zone) - ANSWERED
        if self.last:
            yield CALLS.c.created_at < end_of(self.last, zone) + ANSWERED

    @property
    def _is_rare(self) -> bool:
        # Of one lot releases are not: the lot's own index finds them sooner than the one of all releases.
        dense = FREQUENT if self.lot is None else (*FREQUENT, EntryKind.RELEASE)
        return self.kind is not None and self.kind not in dense


class Page(NamedTuple):
    """Entries, newest first; `older` is the place to go on from (None: nothing there)."""

    entries: Sequence[LedgerEntry]
    older: Place | None


def _hidden(one: Any) -> ColumnElement[Any]:
    """A column that no index is chosen for."""
    return func.coalesce(one, null())


def page(wanted: Filters, zone: ZoneInfo, size: int, below: Place | None = None, newest: int | None = None) -> Page:
    """One page of the wanted entries: the next ones below a place, none recorded after the one of number `newest`."""
    parts = []
    for query, at in wanted.queries(zone):
        further: list[ColumnElement[bool]] = [] if newest is None else [LedgerEntry.id <= newest]
        if below is not None:
            further += [at <= below.at, tuple_(at, LedgerEntry.id) < (below.at, below.id)]
        part = query.where(*further).order_by(at.desc(), LedgerEntry.id.desc()).limit(size + 1)
        parts.append([(stands, one.id, one) for one, stands in db.session.execute(part)])
    found: list[tuple[datetime, int, LedgerEntry]] = list(merge(*parts, key=lambda part: part[:2], reverse=True))
    older = Place(*found[size - 1][:2]) if len(found) > size else None
    return Page([entry for _stands, _number, entry in found[:size]], older)


def every(wanted: Filters, zone: ZoneInfo) -> Iterator[Sequence[LedgerEntry]]:
    """All wanted entries that are there when the first is asked for, newest first, by the thousand, with no transaction
    open between."""
    newest = db.session.scalar(select(func.max(LedgerEntry.id))) or 0
    below: Place | None = None
    while True:
        found = page(wanted, zone, CHUNK, below, newest)
        yield found.entries
        db.session.expunge_all()
        end_read()
        below = found.older
        if below is None:
            return


def callers(entries: Sequence[LedgerEntry]) -> dict[int, int]:
    """Who made the calls of these entries, by the call's number."""
    numbers = {entry.verification_id for entry in entries if entry.verification_id is not None}
    calls = select(CALLS.c.id, CALLS.c.operator_id).where(CALLS.c.id.in_(numbers))
    return dict(db.session.execute(calls).all()) if numbers else {}
