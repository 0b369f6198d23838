"""Who looked for a person: every record about their verifications, and every search that meant them, to the first.

Verifications are found by the number, or where none is given by the whole name, through the blind indexes: once the
identity was erased there are none any more. Pages of the history and files are found by the verifications that stood in
them (`webapp.audit.showing`). Searches are found by their fingerprint, erased or not: also those for the names that are
known to belong to the number, or for the numbers that belong to the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select

from webapp.audit import stored
from webapp.audit.queries import newest_of
from webapp.audit.subjects import fingerprint, fingerprints
from webapp.audit.trail import Action, AuditRecord, Who, append
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import Instance
from webapp.history import search_limits
from webapp.history.look_pieces import Piece, Sought, piece
from webapp.history.search_limits import TooManySearches
from webapp.history.search_readings import Kind
from webapp.persons import names
from webapp.receipts.models import Receipt
from webapp.vendor.contract import Outcome
from webapp.verification.identities import Person, readable_people
from webapp.verification.models import IdentityIndex, IndexKind, Reuse, Verification

MOST = 500
"""Verifications of one person, the newest, that are followed: more have one's name or number only by mistake."""
NO_LOOKS = (Action.VERIFICATION_FINISHED, Action.CALLS_STOPPED, Action.CALLS_RESUMED)
"""Records about a verification that show it to nobody."""
EXPORTS = (Action.HISTORY_EXPORTED, Action.EXPORT_FETCHED)
"""Files of many people. Whether one of them was in a file that was made before records had stamps is not known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom it is about: normalised name, number, or both."""

    name: str = field(repr=False)
    number: str = field(repr=False)

    def searched_as(self) -> list[tuple[Kind, str]]:
        """All that such a person can be searched by."""
        longer = range(names.BEGINNING_TO + 1, len(self.name))
        found = [(Kind.NAME, self.name)] if self.name else []
        found += [(Kind.NAME, self.name[:size]) for size in longer]
        found += [(Kind.BEGINNING, beginning) for beginning in names.beginnings(self.name)]
        return found + ([(Kind.NUMBER, self.number), (Kind.LAST_FOUR, self.number[-4:])] if self.number else [])

    def recorded_as(self) -> list[tuple[Kind, str]]:
        """As what asking about them is recorded: as a search for the same text would be."""
        short = len(self.name) <= names.BEGINNING_TO
        name = [(Kind.BEGINNING if short else Kind.NAME, self.name)] if self.name else []
        return name + ([(Kind.NUMBER, self.number)] if self.number else [])


class Looks(NamedTuple):
    """A piece of the records; `unsure`: which of them only may be about the person; `followed`: how many verifications
    they are about; `reached`: when the last record was made that was looked through, if it can be read."""

    piece: Piece
    unsure: frozenset[int]
    followed: int
    reached: datetime | None


def looks(
    asked: Asked,
    who: Who,
    instance: Instance,
    now: datetime,
    *,
    below: int | None = None,
    above: int | None = None,
) -> Looks:
    """Finds the looks below or above the record of a number, newest first, and records that it was asked for them,
    about whom. Raises `TooManySearches`."""
    ids = _verifications(asked, instance)
    found = piece(Sought(_about(ids, asked, instance), sorted(ids), instance.keys), below=below, above=above)
    reached = [stored.time_of(one.at) for one in stored.records(above=max(found.reached - 1, -(2**63)), most=1)]
    # Whom a file held that was made before records had stamps is not known.
    old = {one.id for one in found.records if one.action in EXPORTS and one.stamp is None}
    db.session.expunge_all()
    with transaction():
        wait = search_limits.wait_for_texts(asked.recorded_as(), who, instance, now)
        outcome = {"fault": search_limits.REFUSED} if wait else {"records": len(found.records), "found": bool(ids)}
        for kind, value in asked.recorded_as():
            about = fingerprint(kind, value, instance.keys)
            append(who, Action.LOOKS_VIEWED, now, success=not wait, subject=about, kind=kind, **outcome)
    if wait:
        raise TooManySearches(wait)
    return Looks(found, found.unsure | old, len(ids), next(iter(reached), None))


def _verifications(asked: Asked, instance: Instance) -> Sequence[int]:
    kind, value = (IndexKind.NUMBER, asked.number) if asked.number else (IndexKind.NAME, asked.name)
    same = IdentityIndex.blind.in_(instance.sealer.indexes(kind, value))
    newest = select(IdentityIndex.verification_id).where(same).order_by(IdentityIndex.verification_id.desc())
    return db.session.scalars(newest.limit(MOST)).all()


def _about(ids: Sequence[int], asked: Asked, instance: Instance) -> ColumnElement[bool]:
    record = AuditRecord
    searched = [*asked.searched_as(), *_searched_by(ids, instance)]
    prints = [one for kind, value in searched for one in fingerprints(kind, value, instance.keys)]
    found: list[ColumnElement[bool]] = [record.subject.in_(prints)]
    if ids:
        reuses = db.session.scalars(select(Reuse.id).where(Reuse.verification_id.in_(ids))).all()
        shown = record.action.not_in(NO_LOOKS)
        found.append(and_(record.object_type == "verification", record.object_id.in_(ids), shown))
        # Numbers of reuses may begin at 1 again when practice data is cleared, and the trail stays.
        live = record.id > newest_of(Action.WENT_LIVE)
        found.append(and_(record.object_type == "reuse", record.object_id.in_(reuses), live))
        first = db.session.scalar(select(func.min(Verification.created_at)).where(Verification.id.in_(ids)))
        found.append(and_(record.action.in_(EXPORTS), record.at >= first, record.stamp.is_(None)))
    return or_(*found)


def _searched_by(ids: Sequence[int], instance: Instance) -> list[tuple[Kind, str]]:
    """What leads to these verifications besides the person."""
    receipts = db.session.scalars(select(Receipt.number).where(Receipt.verification_id.in_(ids)))
    requests = db.session.scalars(select(Verification.request_id).where(Verification.id.in_(ids)))
    people = readable_people(ids, instance.sealer)
    return [
        *_known_by(ids, people),
        *((Kind.RECEIPT, number) for number in receipts),
        *((Kind.REQUEST_ID, request) for request in requests if request),
        *((Kind.REFERENCE, person.reference) for person in people.values() if person.reference),
    ]


def _known_by(ids: Sequence[int], people: Mapping[int, Person]) -> list[tuple[Kind, str]]:
    """Names and numbers that are known to belong together: what was typed beside them by mistake is somebody else's."""
    matched = select(Verification.id).where(Verification.id.in_(ids), Verification.outcome == Outcome.MATCH)
    known = {(people[one].name, people[one].number) for one in db.session.scalars(matched) if one in people}
    names_of = {kind for name, _number in known for kind in Asked(name, "").searched_as()}
    return sorted(names_of) + sorted({(Kind.NUMBER, number) for _name, number in known})
