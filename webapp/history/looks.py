"""Who looked for a person: every record about their verifications, and every search that meant them.

Verifications are found by the number, or where none is given by the whole name, through the blind indexes: once the
identity was erased there are none any more. Searches are found by their fingerprint, erased or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from webapp.audit.queries import Page, Place, page
from webapp.audit.subjects import fingerprint, fingerprints
from webapp.audit.trail import Action, AuditRecord, Who, append
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import Instance
from webapp.history.search_readings import Kind
from webapp.persons import names
from webapp.receipts.models import Receipt
from webapp.verification.identities import open_people
from webapp.verification.models import IdentityIndex, IndexKind, Reuse, Verification

SIZE = 100
MOST = 500
"""Verifications of one person, the newest, that are followed: more have one's name or number only by mistake."""
NO_LOOKS = (Action.VERIFICATION_FINISHED, Action.CALLS_STOPPED, Action.CALLS_RESUMED)
"""Records about a verification that show it to nobody."""
EXPORTS = (Action.HISTORY_EXPORTED, Action.EXPORT_FETCHED)
"""Files of many people: whether one of them was among these is not recorded."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom it is about: normalised name, number, or both."""

    name: str = field(repr=False)
    number: str = field(repr=False)

    def searched_as(self) -> list[tuple[Kind, str]]:
        """All that such a person can be searched by."""
        found = [(Kind.NAME, self.name)] if self.name else []
        found += [(Kind.BEGINNING, beginning) for beginning in names.beginnings(self.name)]
        return found + ([(Kind.NUMBER, self.number), (Kind.LAST_FOUR, self.number[-4:])] if self.number else [])

    def recorded_as(self) -> list[tuple[Kind, str]]:
        """As what asking about them is recorded: as a search for the same text would be."""
        short = len(self.name) <= names.BEGINNING_TO
        name = [(Kind.BEGINNING if short else Kind.NAME, self.name)] if self.name else []
        return name + ([(Kind.NUMBER, self.number)] if self.number else [])


@dataclass(frozen=True, slots=True)
class Looks:
    """A page of the records; `followed`: how many verifications they are about."""

    page: Page
    followed: int


def looks(
    asked: Asked, who: Who, instance: Instance, now: datetime, *, below: Place | None = None, above: Place | None = None
) -> Looks:
    """Finds the looks, newest first, and records that it was asked for them, about whom."""
    ids = _verifications(asked, instance)
    found = page([_about(ids, asked, instance)], SIZE, below=below, above=above)
    db.session.expunge_all()
    with transaction():
        for kind, value in asked.recorded_as():
            about = fingerprint(kind, value, instance.keys)
            append(who, Action.LOOKS_VIEWED, now, subject=about, kind=kind, records=len(found.records))
    return Looks(found, len(ids))


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
        found.append(and_(record.object_type == "reuse", record.object_id.in_(reuses)))
        first = db.session.scalar(select(func.min(Verification.created_at)).where(Verification.id.in_(ids)))
        found.append(and_(record.action.in_(EXPORTS), record.at >= first))
    return or_(*found)


def _searched_by(ids: Sequence[int], instance: Instance) -> list[tuple[Kind, str]]:
    """What leads to these verifications besides the person."""
    receipts = db.session.scalars(select(Receipt.number).where(Receipt.verification_id.in_(ids)))
    requests = db.session.scalars(select(Verification.request_id).where(Verification.id.in_(ids)))
    people = open_people(ids, instance.sealer).values()
    return [
        *((Kind.RECEIPT, number) for number in receipts),
        *((Kind.REQUEST_ID, request) for request in requests if request),
        *((Kind.REFERENCE, person.reference) for person in people if person.reference),
    ]
