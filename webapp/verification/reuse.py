"""No call for nothing: a recent result about the same person for the same purpose is shown instead of asking anew.

Found through the blind indexes of the stored identities, so that what was erased is not shown again. An earlier call
whose charge nobody knows holds a new one back until an admin has settled it, however long that takes and whatever
the purpose's windows: it may have been paid for already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, bindparam, exists, func, or_, select

from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import day_of
from webapp.foundation.database import UtcDateTime, db, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import Sealer
from webapp.quota import queries as quota
from webapp.quota.models import Lot
from webapp.vendor.contract import Billed, Outcome
from webapp.verification import references, tokens
from webapp.verification.asked import Asked
from webapp.verification.models import Decision, IdentityIndex, Purpose, Reuse, Settlement, Verification


class RecentResult(Exception):
    """A recent result exists: no call was sent. The caller may show it, or ask again with `reuse` off."""

    def __init__(self, verification_id: int) -> None:
        super().__init__(f"verification {verification_id} is recent")
        self.verification_id = verification_id


class UnknownBefore(Exception):
    """An earlier call for this person may have been charged, nobody knows: no call was sent now."""

    def __init__(self, verification_id: int, at: datetime) -> None:
        super().__init__(f"verification {verification_id} is unknown")
        self.verification_id = verification_id
        self.at = at


class Saved(NamedTuple):
    """Calls that were not made because a recent result was shown, and what they would have cost, in fen."""

    calls: int
    fen: int


WINDOWS = {
    Outcome.MATCH: "reuse_match", Outcome.MISMATCH: "reuse_mismatch", Outcome.NO_SUCH_NUMBER: "reuse_no_such_number",
}  # fmt: skip
"""Of the outcomes that stand for a while: for how many hours, by the name of the purpose's field."""

_checks = Verification.__table__
_by_number, _by_name = IdentityIndex.__table__.alias("by_number"), IdentityIndex.__table__.alias("by_name")
_released = exists().where(
    Settlement.verification_id == _checks.c.id, Settlement.decision == Decision.ASK_AGAIN
)  # fmt: skip
_still_known = (
    and_(_checks.c.outcome == outcome, _checks.c.created_at > bindparam(window, type_=UtcDateTime))
    for outcome, window in WINDOWS.items()
)
_still_open = and_(_checks.c.outcome == Outcome.UNKNOWN, _checks.c.billed == Billed.UNKNOWN, ~_released)
_NEWEST = (
    select(_checks.c.id, _checks.c.outcome, _checks.c.created_at)
    .join(_by_number, _by_number.c.verification_id == _checks.c.id)
    .join(_by_name, _by_name.c.verification_id == _checks.c.id)
    .where(
        _by_number.c.blind.in_(bindparam("number", expanding=True)),
        _by_name.c.blind.in_(bindparam("name", expanding=True)),
        _checks.c.purpose_id == bindparam("purpose"), or_(*_still_known, _still_open),
    )
    .order_by(_checks.c.created_at.desc(), _checks.c.id.desc())
    .limit(1)
)  # fmt: skip
"""Put together once: every call asks."""


def refuse_known(name: str, number: str, purpose: Purpose, sealer: Sealer, now: datetime) -> None:
    """Raises `RecentResult` or `UnknownBefore` where asking anew would spend a call for nothing; in the caller's
    transaction, after it was seen that no call for this person is under way."""
    since = {window: now - timedelta(hours=getattr(purpose, window)) for window in WINDOWS.values()}
    asked = {"number": sealer.indexes("number", number), "name": sealer.indexes("name", name), "purpose": purpose.id}
    found = must_write().execute(_NEWEST, asked | since).one_or_none()
    if found is None:
        return
    if found.outcome == Outcome.UNKNOWN:
        raise UnknownBefore(found.id, found.created_at)
    raise RecentResult(found.id)


def show(verification_id: int, asked: Asked, who: Who, instance: Instance, now: datetime) -> int:
    """Counts a call as saved, keeps the reference it was asked for with, and returns the reuse's id. Raises as
    `tokens.spend` does."""
    with transaction() as session:
        if asked.form is not None:
            tokens.spend(asked.form, now)
        reuse = Reuse(
            at=now, verification_id=verification_id, operator_id=who.user_id,
            lot_id=quota.next_lot(day_of(now, instance.settings.zone)), consent=asked.consent,
            guardian_consent=asked.guardian_consent, declaration_id=asked.declaration_id,
        )  # fmt: skip
        session.add(reuse)
        session.flush()
        references.keep(reuse, asked.reference, instance.sealer)
        if asked.form is not None:
            tokens.came_to(asked.form, reuse_id=reuse.id)
        append(who, Action.RESULT_REUSED, now, on=("verification", verification_id), reuse=reuse.id)
        return reuse.id


def saved(since: datetime) -> Saved:
    """What was saved since then, at the price of the lots whose calls they would have been."""
    by_lot = (
        select(func.count(), Lot.price_fen, Lot.calls)
        .select_from(Reuse)
        .join(Lot, Lot.id == Reuse.lot_id, isouter=True)
        .where(Reuse.at >= since)
        .group_by(Reuse.lot_id, Lot.price_fen, Lot.calls)
    )
    calls, fen = 0, 0.0
    for count, price, size in db.session.execute(by_lot):
        calls += count
        fen += count * price / size if price and size else 0
    return Saved(calls, round(fen))
