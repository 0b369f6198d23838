"""Trying out numbers for a name, or names for a number, is how people are spied on: auditors are told of it.

Once for each name or number and day, by a keyed fingerprint of its own kind: it names nobody, and it cannot be
compared with the indexes that a person is found by. With the index key it could be tried out, so it goes with its
notice: after `KEPT`, and when the person is erased.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select

from webapp.foundation.clock import day_of
from webapp.foundation.database import must_write, transaction
from webapp.foundation.sealing import Sealer
from webapp.notify import notices
from webapp.verification.identities import name_and_number
from webapp.verification.models import Identity, IdentityIndex, IndexKind, Verification
from webapp.verification.queries import last_before

WINDOW = timedelta(hours=24)
NAME_MARK, NUMBER_MARK = "privacy name", "privacy number"
"""Kinds of fingerprints that stand in no index."""
MANY_NUMBERS = 10
"""Different numbers under one name: a common name at a busy desk stays below."""
KINDS = ("many_numbers", "many_names")
KEPT = timedelta(days=30)
"""How long such a notice stands."""
MANY_NAMES = 4
"""Different names for one number: two misspellings are honest."""


_indexes, _checks = IdentityIndex.__table__, Verification.__table__
_fixed, _other = _indexes.alias("fixed"), _indexes.alias("other")
_since = bindparam("since", type_=_checks.c.created_at.type)
# Put together once, for every call runs it twice.
_DISTINCT = (
    select(func.count(_other.c.blind.distinct()))
    .join_from(_fixed, _other, _fixed.c.verification_id == _other.c.verification_id)
    .join(_checks, _checks.c.id == _other.c.verification_id)
    .where(
        _fixed.c.blind.in_(bindparam("under", expanding=True)), _fixed.c.verification_id > last_before(_since),
        _other.c.kind == bindparam("kind"), _checks.c.created_at > _since,
    )
)  # fmt: skip

_PEOPLE = (
    select(Identity.verification_id, Identity.sealed)
    .join(_fixed, _fixed.c.verification_id == Identity.verification_id)
    .join(_checks, _checks.c.id == Identity.verification_id)
    .where(_fixed.c.blind.in_(bindparam("under", expanding=True)), _checks.c.created_at > _since)
)


def watch(name: str, number: str, sealer: Sealer, zone: ZoneInfo, now: datetime) -> None:
    """Tells auditors where this intent makes too many, in its transaction."""
    numbers = _distinct(IndexKind.NUMBER, sealer.indexes("name", name), sealer, now)
    if numbers >= MANY_NUMBERS:
        _tell("many_numbers", sealer.index(NAME_MARK, name), numbers, zone, now)
    names = _distinct(IndexKind.NAME, sealer.indexes("number", number), sealer, now)
    if names >= MANY_NAMES:
        _tell("many_names", sealer.index(NUMBER_MARK, number), names, zone, now)


def report_limit(name: str, most: int, sealer: Sealer, zone: ZoneInfo, now: datetime) -> None:
    """Tells auditors, in the caller's transaction, that the limit of numbers under one name stopped somebody."""
    _tell("many_numbers", sealer.index(NAME_MARK, name), most, zone, now)


def forget_old(now: datetime) -> bool:
    """Takes back what was told long ago; False: nothing is left to do."""
    with transaction():
        notices.withdraw_old(KINDS, now - KEPT)
    return False


def forget_about(name: str, number: str, sealer: Sealer) -> None:
    """Takes back, in the caller's transaction, what was told of an erased person's name or number, under every live
    index key."""
    for kind, what, value in (("many_numbers", NAME_MARK, name), ("many_names", NUMBER_MARK, number)):
        for mark in sealer.indexes(what, value):
            notices.withdraw(f"{kind}:{mark.hex()}:")


def _distinct(kind: IndexKind, under: list[bytes], sealer: Sealer, now: datetime) -> int:
    """How many different values of `kind` were asked about together with the one of these blind indexes."""
    asked = {"kind": kind, "under": under, "since": now - WINDOW}
    if len(under) == 1:
        return must_write().scalar(_DISTINCT, asked) or 0
    # While keys are rotated one value may stand under two of them: then the people themselves are looked at.
    place = 0 if kind == IndexKind.NAME else 1
    rows = must_write().execute(_PEOPLE, {"under": under, "since": now - WINDOW}).all()
    return len({name_and_number(number, sealed, sealer)[place] for number, sealed in rows})


def _tell(kind: str, fingerprint: bytes, count: int, zone: ZoneInfo, now: datetime) -> None:
    mark, day = fingerprint.hex(), day_of(now, zone)
    notices.tell("auditor", kind, f"{kind}:{mark}:{day}", now, count=count, mark=mark[:8], day=day.isoformat())
