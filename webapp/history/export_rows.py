"""The rows of an export: read in batches by keyset, opened, masked unless plaintext was approved, and worded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from webapp.accounts import queries as accounts
from webapp.accounts.models import User
from webapp.foundation.clock import wall_time
from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import Sealer
from webapp.history import queries, search_keys, totals
from webapp.history.filters import EPOCH, Cursor, Filters
from webapp.history.scans import SEALED, V
from webapp.persons.masking import mask_name, mask_number
from webapp.vendor.texts import CAUSES
from webapp.verification import identities
from webapp.verification.queries import all_purposes
from webapp.verification.texts import CHARGED, OUTCOMES, SOURCES

_COLUMNS = (
    V.c.id, V.c.created_at, V.c.outcome, V.c.billed, V.c.cause, V.c.request_id, V.c.source, V.c.operator_id,
    V.c.department_id, V.c.purpose_id, SEALED.c.sealed,
)  # fmt: skip
COUNTED_AT_ONCE = 20_000
MASKED_NAMES = 2_000
"""Of them few are different: as cells they are kept."""

Found = tuple[Any, ...]
"""A row as `_COLUMNS` names it."""
Cell = Callable[[str], str]
Worded = Callable[[Sequence[Found]], Iterator[Sequence[str]]]
"""Words rows."""


class Batch(NamedTuple):
    """Some rows, perhaps none, and the place behind them; '': nothing lies there."""

    rows: Sequence[Found]
    place: str


class Set(NamedTuple):
    """What is exported: what these filters leave of what the viewer may see, up to the instant it was asked for, in
    the order of the pages."""

    filters: Filters
    viewer_id: int
    instance: Instance
    asked_at: datetime

    def batch(self, place: str, size: int) -> Batch:
        """Up to `size` rows behind `place` ('': from the newest on)."""
        return self._batch(place, size, _COLUMNS)

    def exceeds(self, most: int) -> bool:
        """Whether there are more rows than `most`: by the counters where they know, else by looking at no more."""
        facts_only = replace(self.filters, search=None, province=None, city=None)
        counted = totals.total(facts_only, self._viewer(), self.instance, self.asked_at)
        if counted is not None and (counted <= most or facts_only == self.filters):
            return counted > most
        keys = search_keys.keys(self.filters, self.instance.sealer)
        if keys is not None and search_keys.at_most(keys, most):
            return False
        return self.counted(most + 1) > most

    def counted(self, upto: int) -> int:
        """How many rows there are, by looking at no more than `upto`."""
        found, place = 0, ""
        while found < upto:
            batch = self._batch(place, min(COUNTED_AT_ONCE, upto), (V.c.id, V.c.created_at))
            found, place = found + len(batch.rows), batch.place
            if not place:
                break
        return min(found, upto)

    def total(self) -> int | None:
        """How many rows there are, about; None where the counters do not know."""
        return totals.total(self.filters, self._viewer(), self.instance, self.asked_at)

    def _batch(self, place: str, size: int, columns: tuple[Any, ...]) -> Batch:
        cursor = _cursor(place) if place else None
        here = queries.stretch(self.filters, self._viewer(), self.instance, size, cursor, columns=columns,
                               until=self.asked_at)  # fmt: skip
        if not here.more:
            return Batch(here.found, "")
        if here.edge is not None:
            return Batch(here.found, _place(*here.edge))
        number, at, *_rest = here.found[-1]
        return Batch(here.found, _place(at, number))

    def _viewer(self) -> User:
        return db.session.get_one(User, self.viewer_id)  # a file may take longer than a session


def _place(at: datetime, number: int) -> str:
    return f"{(at - EPOCH) // timedelta(microseconds=1)}:{number}"


def _cursor(place: str) -> Cursor:
    micros, number = place.split(":")
    return Cursor(older=True, micros=int(micros), id=int(number))


def heading(*, plain: bool, zone: ZoneInfo) -> list[str]:
    """The columns, in the reader's language; the time's says in which zone it is."""
    common = [
        _("Verification no."), _("Time (%(zone)s)", zone=zone.key), _("Result"), _("Charge"), _("Cause"), _("Purpose"),
        _("Operator"), _("Department"), _("Source"), _("Vendor's request id"), _("Name"), _("ID number"),
    ]  # fmt: skip
    return [*common, _("Reference"), _("Province"), _("City")] if plain else common


def wording(cell: Cell, instance: Instance, *, plain: bool, locale: str) -> Worded:
    """Words rows for a reader; `cell` makes free text safe for the kind of file. The words raise `CannotOpen` under
    other keys. Everything is looked up once: this runs for each of a million rows."""
    outcomes = _cells(cell, {key: text.label for key, text in OUTCOMES.items()})
    charged, causes, sources = (_cells(cell, words) for words in (CHARGED, {None: ""} | CAUSES, SOURCES))
    purposes = _cells(cell, {one.id: one.name_in(locale) for one in all_purposes()})
    operators = _cells(cell, {one.id: one.name for one in accounts.users()})
    departments = _cells(cell, {None: ""} | {one.id: one.name for one in accounts.departments()})
    zone, people = instance.settings.zone, _in_plaintext if plain else _masked
    erased = (cell(_("erased")), *[""] * (4 if plain else 1))
    sealer = instance.sealer

    def words(rows: Sequence[Found]) -> Iterator[Sequence[str]]:
        following = people([(row[0], row[-1]) for row in rows if row[-1]], sealer, cell).__next__
        for (
            number, at, outcome, billed, cause, request_id, source, operator_id, department_id, purpose_id, sealed,
        ) in rows:  # fmt: skip
            yield (
                str(number), wall_time(at, zone), outcomes[outcome], charged[billed], causes.get(cause, ""),
                purposes[purpose_id], operators[operator_id], departments[department_id], sources[source],
                cell(request_id), *(following() if sealed else erased),
            )  # fmt: skip

    return words


def _cells(cell: Cell, words: Mapping[Any, object]) -> dict[Any, str]:
    return {key: cell(str(word)) for key, word in words.items()}


def _masked(rows: Sequence[tuple[int, bytes]], sealer: Sealer, cell: Cell) -> Iterator[Sequence[str]]:
    shown = lru_cache(MASKED_NAMES)(cell)
    return ((shown(mask_name(name)), mask_number(number))
            for name, number in identities.names_and_numbers(rows, sealer))  # fmt: skip


def _in_plaintext(rows: Sequence[tuple[int, bytes]], sealer: Sealer, cell: Cell) -> Iterator[Sequence[str]]:
    for row_id, sealed in rows:
        one = identities.opened(row_id, sealed, sealer)
        yield [cell(text) for text in (one.name, one.number, one.reference, one.province, one.city)]
