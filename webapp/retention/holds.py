"""Legal holds: what the law wants kept is kept from purge and erasure, with a reason, until somebody lifts it.

Who places a hold locks the identities that it is about; who destroys identities locks them before asking for holds. So
of both at once one is first: nothing that a stored hold covers is ever destroyed. An erasure, which may meet a call
that was only just made, lets no hold be placed meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, NoReturn, TypeVar

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import joinedload

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import CannotOpen, Sealer
from webapp.persons.mentions import names_someone
from webapp.retention.models import LegalHold
from webapp.verification import identities
from webapp.verification.models import Identity, IdentityIndex, IndexKind, Verification

CHUNK = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, as they are told apart: name and number, normalised."""

    name: str = field(repr=False)
    number: str = field(repr=False)


class Shown(NamedTuple):
    """A hold as the page shows it; `person` None where it is of one verification, or lifted."""

    hold: LegalHold
    person: Subject | None


class Gone(Exception):
    """There is no such identity: nothing can be held."""


class NamesSomeone(Exception):
    """The reason holds the name or number of a person it is about, or what looks like a number; nothing was done."""


def hold_verification(verification_id: int, reason: str, who: Who, instance: Instance, now: datetime) -> int:
    """Holds one verification; returns the hold's number. Raises `Gone`, `NamesSomeone`."""
    there = select(Identity.verification_id).where(Identity.verification_id == verification_id)
    if _names(reason, _known_as([verification_id], instance.sealer)):
        _refused(Action.HOLD_PLACED, ("verification", verification_id), who, now)
    with transaction() as session:
        if session.scalar(there) is None:
            raise Gone
        hold = _place(LegalHold(verification_id=verification_id, reason=reason), who, now)
        if not identities.lock([verification_id]):  # somebody has just destroyed it
            raise Gone
        append(who, Action.HOLD_PLACED, now, on=("verification", verification_id), hold=hold.id, words=reason)
        return hold.id


def hold_person(subject: Subject, reason: str, who: Who, instance: Instance, now: datetime) -> int:
    """Holds every verification of a number, those still to come too; returns the hold's number.

    Nothing need be there yet. The trail keeps no fingerprint of the person. Raises `NamesSomeone`.
    """
    ids = identities.with_number(subject.number, instance.sealer)
    if _names(reason, [subject, *_known_as(ids, instance.sealer)]):
        _refused(Action.HOLD_PLACED, ("verification", ids[-1]) if ids else ("", None), who, now)
    with transaction() as session:
        hold = _place(LegalHold(reason=reason), who, now)
        held = identities.lock(identities.with_number(subject.number, instance.sealer))
        content = {"name": subject.name, "number": subject.number}
        hold.sealed = instance.sealer.seal_json(content, _where(hold.id))
        session.flush()
        append(who, Action.HOLD_PLACED, now, on=("hold", hold.id), verifications=len(held), words=reason)
        return hold.id


def lift(hold_id: int, reason: str, who: Who, instance: Instance, now: datetime) -> bool:
    """Lifts a hold and forgets whom it was about; False where another was quicker. Raises `NamesSomeone`."""
    hold = db.session.get(LegalHold, hold_id, populate_existing=True)
    if _names(reason, [] if hold is None else _held_people(hold, instance.sealer)):
        _refused(Action.HOLD_LIFTED, ("hold", hold_id), who, now)
    still = LegalHold.id == hold_id, LegalHold.lifted_at.is_(None)
    with transaction() as session:
        values = {"lifted_at": now, "lifted_by": who.user_id, "lift_reason": reason, "sealed": None}
        if not session.execute(update(LegalHold).where(*still).values(**values)).rowcount:  # type: ignore[attr-defined]
            return False
        append(who, Action.HOLD_LIFTED, now, on=("hold", hold_id), words=reason)
        return True


def let_none_be_placed() -> None:
    """Until the caller's transaction ends, whoever would place a hold waits. Before any identity is locked."""
    session = must_write()
    if session.get_bind().dialect.name == "postgresql":  # SQLite lets one write at a time anyway
        session.execute(text("LOCK TABLE legal_hold IN SHARE MODE"))


def held_among(verification_ids: Collection[int], sealer: Sealer) -> set[int]:
    """Which of these are held now. Raises `CannotOpen` under other keys: nothing is destroyed then."""
    direct, blinds = _standing(sealer)
    found = direct & set(verification_ids)
    for some in _chunks(blinds):
        same = IdentityIndex.blind.in_(some), IdentityIndex.verification_id.in_(verification_ids)
        found.update(db.session.scalars(select(IdentityIndex.verification_id).where(*same)))
    return found


def is_held(number: str, sealer: Sealer) -> bool:
    """Whether a hold covers this person, or any verification of this number."""
    direct, blinds = _standing(sealer)
    if not set(blinds).isdisjoint(sealer.indexes(IndexKind.NUMBER, number)):
        return True
    return not direct.isdisjoint(identities.with_number(number, sealer))


def earliest(sealer: Sealer) -> datetime | None:
    """When the first verification was made that is held: the audit trail is kept from there on. None: none is."""
    direct, blinds = _standing(sealer)
    for some in _chunks(blinds):
        first = select(func.min(IdentityIndex.verification_id)).where(IdentityIndex.blind.in_(some))
        direct.update(filter(None, db.session.scalars(first.group_by(IdentityIndex.blind))))
    at: list[datetime | None] = [
        db.session.scalar(select(func.min(Verification.created_at)).where(Verification.id.in_(some)))
        for some in _chunks(sorted(direct))
    ]
    return min(filter(None, at), default=None)


def standing() -> int:
    """How many holds stand."""
    return db.session.scalar(select(func.count()).where(LegalHold.lifted_at.is_(None))) or 0


def listed(sealer: Sealer, most: int) -> list[Shown]:
    """Holds that stand, then lifted ones, the newest first."""
    query = select(LegalHold).options(joinedload(LegalHold.placer), joinedload(LegalHold.lifter))
    order = LegalHold.lifted_at.is_not(None), LegalHold.id.desc()
    return [Shown(one, _person(one, sealer)) for one in db.session.scalars(query.order_by(*order).limit(most))]


def find(hold_id: int, sealer: Sealer) -> Shown | None:
    """One hold."""
    hold = db.session.get(LegalHold, hold_id)
    return None if hold is None else Shown(hold, _person(hold, sealer))


def record_view(shown: Sequence[Shown], who: Who, instance: Instance, now: datetime) -> None:
    """Records that held people were looked at; nothing where none of these holds is of a person. Whoever asks who
    looked for one of them is told: the newest verification of each stands in the record."""
    people = [one.person for one in shown if one.person is not None]
    if not people:
        return
    newest = set[int]()
    for some in _chunks([blind for one in people for blind in instance.sealer.indexes(IndexKind.NUMBER, one.number)]):
        last = select(func.max(IdentityIndex.verification_id)).where(IdentityIndex.blind.in_(some))
        newest.update(filter(None, db.session.scalars(last.group_by(IdentityIndex.blind))))
    with transaction():
        append(who, Action.HOLDS_VIEWED, now, holds=len(people), shown=sorted(newest))


def _held_people(hold: LegalHold, sealer: Sealer) -> Iterable[Subject]:
    """Everybody whom a hold covers, under every name that was entered with the number."""
    with suppress(CannotOpen):
        person = _person(hold, sealer)
        if person is not None:
            yield person
            yield from _known_as(identities.with_number(person.number, sealer), sealer)
    if hold.verification_id is not None:
        yield from _known_as([hold.verification_id], sealer)


def _known_as(verification_ids: Sequence[int], sealer: Sealer) -> Iterable[Subject]:
    """As whom these were verified, where the identity stands. What does not open can be compared with nothing: it can
    be held all the same."""
    for some in _chunks(verification_ids):
        rows = select(Identity.verification_id, Identity.sealed).where(Identity.verification_id.in_(some))
        for number, sealed in db.session.execute(rows).all():
            with suppress(CannotOpen):
                yield Subject(*identities.name_and_number(number, sealed, sealer))


def _names(reason: str, people: Iterable[Subject]) -> bool:
    """Whether a reason, which stays in the clear for good, names one of these people, or may name anybody."""
    return names_someone(reason) or any(names_someone(reason, one.name, one.number) for one in people)


def _refused(action: Action, on: tuple[str, int | None], who: Who, now: datetime) -> NoReturn:
    # Refusing such words tells that they were right: it is recorded as an act that failed, without them.
    with transaction():
        append(who, action, now, on=on, success=False, fault="names_someone")
    raise NamesSomeone


def _place(hold: LegalHold, who: Who, now: datetime) -> LegalHold:
    if who.user_id is None:
        raise ValueError("a hold needs a person who answers for it")
    hold.placed_at, hold.placed_by = now, who.user_id
    session = must_write()
    session.add(hold)
    session.flush()
    return hold


def _standing(sealer: Sealer) -> tuple[set[int], list[bytes]]:
    """Verifications that are held by their number, and blind indexes of the numbers of held people."""
    direct: set[int] = set()
    blinds: list[bytes] = []
    columns = LegalHold.id, LegalHold.verification_id, LegalHold.sealed
    for hold_id, verification_id, sealed in db.session.execute(select(*columns).where(LegalHold.lifted_at.is_(None))):
        if verification_id is not None:
            direct.add(verification_id)
        if sealed is not None:
            blinds += sealer.indexes(IndexKind.NUMBER, sealer.open_json(sealed, _where(hold_id))["number"])
    return direct, blinds


def _person(hold: LegalHold, sealer: Sealer) -> Subject | None:
    return None if hold.sealed is None else Subject(**sealer.open_json(hold.sealed, _where(hold.id)))


def _where(hold_id: int) -> str:
    return f"legal_hold:{hold_id}"


def _chunks(many: Sequence[T]) -> list[Sequence[T]]:
    return [many[start : start + CHUNK] for start in range(0, len(many), CHUNK)]
