"""The rows of an export: read in batches by keyset, opened, masked unless plaintext was approved, and worded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import Row, Select, func, tuple_

from webapp.accounts import queries as accounts
from webapp.accounts.models import User
from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import Sealer
from webapp.history import queries
from webapp.history.filters import EPOCH, Filters
from webapp.persons.masking import mask_name, mask_number
from webapp.vendor.texts import CAUSES
from webapp.verification import identities
from webapp.verification.models import Identity, Verification
from webapp.verification.queries import all_purposes
from webapp.verification.texts import CHARGED, OUTCOMES, SOURCES

_COLUMNS = (
    Verification.id, Verification.created_at, Verification.outcome, Verification.billed, Verification.cause,
    Verification.request_id, Verification.source, Verification.operator_id, Verification.department_id,
    Verification.purpose_id, Identity.sealed,
)  # fmt: skip
_NEWEST_FIRST = (Verification.created_at.desc(), Verification.id.desc())

Found = Row[*tuple[Any, ...]]
"""A row as `_COLUMNS` names it."""
Cell = Callable[[str], str]
Worded = Callable[[Found], list[str]]


@dataclass(frozen=True, slots=True)
class Set:
    """What is exported: what these filters leave of what the viewer may see, up to the instant it was asked for."""

    filters: Filters
    viewer_id: int
    instance: Instance
    asked_at: datetime

    def batch(self, place: str, size: int) -> Sequence[Found]:
        """Up to `size` rows behind `place` ('': from the newest on)."""
        query = self._query(place).outerjoin(Identity, Identity.verification_id == Verification.id)
        first = query.with_only_columns(*_COLUMNS).order_by(*_NEWEST_FIRST).limit(size)
        return db.session.connection().execute(first).all()  # past the unit of work: nothing here is an object

    def exceeds(self, most: int) -> bool:
        """Whether there are more rows than `most`; looks at no more than that."""
        beyond = self._query("").with_only_columns(Verification.id).order_by(*_NEWEST_FIRST).offset(most).limit(1)
        return db.session.scalar(beyond) is not None

    def count(self) -> int:
        """How many rows there are; looks at all of them: not for a page."""
        return db.session.scalar(self._query("").with_only_columns(func.count())) or 0

    def _query(self, place: str) -> Select[Any]:
        viewer = db.session.get_one(User, self.viewer_id)  # a file may take longer than a session
        fitting = queries.matching(self.filters, viewer, self.instance).where(Verification.created_at <= self.asked_at)
        if not place:
            return fitting
        micros, row_id = place.split(":")
        at = EPOCH + timedelta(microseconds=int(micros))
        return fitting.where(tuple_(Verification.created_at, Verification.id) < tuple_(at, int(row_id)))


def place_of(row: Found) -> str:
    """The place behind a row."""
    return f"{(row.created_at - EPOCH) // timedelta(microseconds=1)}:{row.id}"


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
    zone, person_of = instance.settings.zone, _in_plaintext if plain else _masked
    erased = [cell(_("erased")), *[""] * (4 if plain else 1)]
    sealer = instance.sealer

    def words(row: Found) -> list[str]:
        row_id, at, outcome, billed, cause, request_id, source, operator_id, department_id, purpose_id, sealed = row
        return [
            str(row_id), at.astimezone(zone).isoformat(" ", "seconds")[:19], outcomes[outcome], charged[billed],
            causes.get(cause, ""), purposes[purpose_id], operators[operator_id], departments[department_id],
            sources[source], cell(request_id), *(person_of(row_id, sealed, sealer, cell) if sealed else erased),
        ]  # fmt: skip

    return words


def _cells(cell: Cell, words: Mapping[Any, object]) -> dict[Any, str]:
    return {key: cell(str(word)) for key, word in words.items()}


def _masked(row_id: int, sealed: bytes, sealer: Sealer, cell: Cell) -> tuple[str, ...]:
    name, number = identities.name_and_number(row_id, sealed, sealer)
    return cell(mask_name(name)), mask_number(number)


def _in_plaintext(row_id: int, sealed: bytes, sealer: Sealer, cell: Cell) -> tuple[str, ...]:
    one = identities.opened(row_id, sealed, sealer)
    return tuple(cell(text) for text in (one.name, one.number, one.reference, one.province, one.city))
