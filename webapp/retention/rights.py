"""A person's rights: what is stored about one person is found, handed out, and erased on request.

The person is found by the ID number, through its blind index; the name tells whether it is the right one. Nothing here
leaves a fingerprint of the person in the trail, which would outlive the erasure: finding and exporting are recorded on
the person's newest verification, which leads to the person only as long as the identity stands; an erasure is recorded
by how much it destroyed, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, empty_log, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.redaction import conceal
from webapp.history import export_withdrawal, saved_operations, search_limits, search_operations
from webapp.history.search_limits import TooManySearches
from webapp.history.search_readings import Kind, readings
from webapp.persons.mentions import mentions
from webapp.receipts.models import ReceiptSalt
from webapp.retention import holds
from webapp.retention.holds import Subject
from webapp.vendor.contract import Billed
from webapp.verification import identities, privacy, references, tokens
from webapp.verification.identities import Person
from webapp.verification.models import IdentityIndex, IndexKind, Reuse, Verification

CHUNK = 500
"""Verifications that are erased, or read, at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored about a person: counts and times, nothing that names anybody. `other_name`: how many of the
    verifications have the number under another name."""

    verifications: int
    other_name: int = 0
    first: datetime | None = None
    last: datetime | None = None
    reuses: int = 0
    receipts: int = 0
    unsettled: int = 0
    held: bool = False
    views: int = 0
    searches: int = 0
    exports: int = 0
    """That are not fetched yet and may hold the person."""

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to erase."""
        return not (self.verifications or self.views or self.searches or self.exports)


class Entry(NamedTuple):
    """One verification of the person: the fact, the opened identity, when its result was shown again, and for which
    reference (empty: none was given)."""

    fact: Verification
    person: Person
    reused: Sequence[tuple[datetime, str]]
    receipts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure destroyed; `left`: verifications that nobody has settled yet, which stay."""

    verifications: int
    receipts: int
    left: int = 0
    views: int = 0
    searches: int = 0
    exports: int = 0

    def __add__(self, other: Erased) -> Erased:
        return Erased(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))


class Held(Exception):
    """A legal hold covers the person: nothing was erased."""


class Nobody(Exception):
    """Nothing is stored about such a person (any more)."""


def find(subject: Subject, who: Who, instance: Instance, now: datetime) -> Found:
    """Counts what is stored, and records that somebody looked. Nobody is shown any of it otherwise. Raises
    `TooManySearches`."""
    ids = identities.with_number(subject.number, instance.sealer)
    found = _count(subject, ids, instance)
    with transaction():
        named = found.verifications > found.other_name  # whoever tries names for a number learns one, too
        wait = search_limits.wait_for_person(ids[-1] if named else None, who, instance, now)
        if wait:
            append(who, Action.PERSON_FOUND, now, success=False, fault=search_limits.REFUSED)
        else:
            append(who, Action.PERSON_FOUND, now, on=_on(ids), verifications=len(ids), found=named)
    if wait:
        raise TooManySearches(wait)
    return found


def entries(subject: Subject, reason: str, who: Who, instance: Instance, now: datetime) -> list[Entry]:
    """Everything that is stored, newest first, once it is recorded that it was handed out. Raises `Nobody`."""
    ids = identities.with_number(subject.number, instance.sealer)
    if not ids:
        raise Nobody
    with transaction():
        append(who, Action.PERSON_EXPORTED, now, on=_on(ids), verifications=len(ids), words=reason)
    return [entry for some in _chunks(ids[::-1]) for entry in _read(some, instance)]


def erase(subject: Subject, reason: str, who: Who, instance: Instance, now: datetime) -> Erased:
    """Destroys every settled identity of this number and whatever else names the person; facts, ledger, counters and
    receipts stand. Raises `Held`, `Nobody`.

    Very many go in several transactions: killed in between, what is gone is gone and recorded, and asking again goes
    on.
    """
    with transaction():
        erased = some = _erase_some(subject, reason, who, instance, now, first=True)
    while some.verifications == CHUNK:
        with transaction():
            some = _erase_some(subject, reason, who, instance, now)
        erased += some
    empty_log()
    erased += Erased(0, 0, left=len(identities.with_number(subject.number, instance.sealer)))
    if not any(astuple(erased)):
        raise Nobody
    return erased


def refused(who: Who, now: datetime) -> None:
    """Records that an erasure was refused, for a hold."""
    with transaction():
        append(who, Action.PERSON_ERASED, now, success=False, fault="held")


def _erase_some(
    subject: Subject, reason: str, who: Who, instance: Instance, now: datetime, *, first: bool = False
) -> Erased:  # fmt: skip
    """One batch in the caller's transaction, the first with whatever else names the person: what it destroyed."""
    holds.let_none_be_placed()
    export_withdrawal.let_none_be_begun()
    ids = identities.with_number(subject.number, instance.sealer)
    there = identities.lock(_settled(ids)[:CHUNK])
    if holds.is_held(subject.number, instance.sealer):
        raise Held
    means = _means(subject)
    # In every batch: a file that was begun between two of them holds who was not erased yet.
    exports = export_withdrawal.withdraw(_since(there), means, who, instance, now)
    searches = search_operations.forget_about(means, instance) if first else 0
    views = saved_operations.forget_about(means, who, instance, now) if first else 0
    if first:
        privacy.forget_about(subject.name, subject.number, instance.sealer)
    salts = select(func.count()).select_from(ReceiptSalt).where(ReceiptSalt.verification_id.in_(there))
    receipts = db.session.scalar(salts) or 0
    tokens.forget_content(there)
    identities.destroy(there)
    if there or exports or searches or views:
        append(
            who, Action.PERSON_ERASED, now, verifications=len(there), receipts=receipts, views=views, exports=exports,
            words=reason,
        )  # fmt: skip
    return Erased(len(there), receipts, views=views, searches=searches, exports=exports)


def _since(ids: Collection[int]) -> datetime | None:
    """When the first of these was verified."""
    return db.session.scalar(select(func.min(Verification.created_at)).where(Verification.id.in_(ids)))


def _settled(ids: Sequence[int]) -> list[int]:
    known = Verification.billed != Billed.UNKNOWN
    return [one for some in _chunks(ids) for one in db.session.scalars(
        select(Verification.id).where(Verification.id.in_(some), known).order_by(Verification.id))]  # fmt: skip


def _means(subject: Subject) -> Callable[[str], bool]:
    """Whether a text that somebody typed means this person."""
    number = Kind.NUMBER, subject.number  # an old card's fifteen digits mean the same number
    return lambda text: (
        mentions(text, subject.name, subject.number) or any((one.kind, one.value) == number for one in readings(text))
    )


def _count(subject: Subject, ids: Sequence[int], instance: Instance) -> Found:
    """What `find` shows of a person with these verifications."""
    means = _means(subject)
    beside = Found(
        0, held=holds.is_held(subject.number, instance.sealer), views=len(saved_operations.about(means, instance)),
        searches=len(search_operations.about(means, instance)),
        exports=export_withdrawal.concerned(_since(_settled(ids)[:CHUNK]), means, instance),
    )  # fmt: skip
    if not ids:
        return beside
    named = {IdentityIndex.blind.in_(instance.sealer.indexes(IndexKind.NAME, subject.name))}
    same = reuses = receipts = 0
    times: list[datetime] = []
    for some in _chunks(ids):
        mine = IdentityIndex.verification_id.in_(some)
        same += db.session.scalar(select(func.count(IdentityIndex.verification_id.distinct())).where(mine, *named)) or 0
        reuses += db.session.scalar(select(func.count()).where(Reuse.verification_id.in_(some))) or 0
        receipts += db.session.scalar(select(func.count()).where(ReceiptSalt.verification_id.in_(some))) or 0
        ends = select(func.min(Verification.created_at), func.max(Verification.created_at))
        times += filter(None, db.session.execute(ends.where(Verification.id.in_(some))).one())
    return replace(
        beside, verifications=len(ids), other_name=len(ids) - same, first=min(times, default=None),
        last=max(times, default=None), reuses=reuses, receipts=receipts, unsettled=len(ids) - len(_settled(ids)),
    )  # fmt: skip


def _read(ids: Sequence[int], instance: Instance) -> list[Entry]:
    people = identities.open_people(ids, instance.sealer)
    facts = {row.id: row for row in db.session.scalars(select(Verification).where(Verification.id.in_(ids)))}
    asked_for = references.of_verifications(ids, instance.sealer)
    conceal(*asked_for.values())
    reused: dict[int, list[tuple[datetime, str]]] = {number: [] for number in ids}
    shown = select(Reuse.verification_id, Reuse.at, Reuse.id).where(Reuse.verification_id.in_(ids))
    for number, at, reuse_id in db.session.execute(shown.order_by(Reuse.at, Reuse.id)):
        reused[number].append((at, asked_for.get(reuse_id, "")))
    receipts: dict[int, list[str]] = {number: [] for number in ids}
    salts = select(ReceiptSalt.verification_id, ReceiptSalt.number).where(ReceiptSalt.verification_id.in_(ids))
    for number, receipt in db.session.execute(salts.order_by(ReceiptSalt.number)):
        receipts[number].append(receipt)
    for person in people.values():
        conceal(person.name, person.number, person.reference)
    return [Entry(facts[one], people[one], reused[one], receipts[one]) for one in ids if one in people]


def _on(ids: Sequence[int]) -> tuple[str, int | None]:
    return ("verification", ids[-1]) if ids else ("", None)


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
