"""Caps and floors: figures of an admin's that, unlike the books, refuse a call before it is spent.

A caller locks the caps that hold for it until its intent is stored: racing callers of one cap take turns, those of
none stay side by side. What was used is read from the counters, which are exact at every instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, bindparam, select, tuple_

from webapp.accounts.models import Department, User
from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import day_of, end_of
from webapp.foundation.database import db, must_write, put
from webapp.notify import notices
from webapp.quota import queries as quota
from webapp.usage import queries as usage
from webapp.verification.cap_rules import Caller, CapKind, Whom, heeded, refuses
from webapp.verification.models import Cap, Source

MOST = 10_000_000
"""Calls: twice the largest package."""
DESK_FLOOR = Whom(CapKind.FLOOR, Source.DESK)


_whom: BindParameter[tuple[str, str]] = bindparam("whom", expanding=True)
_ROWS = (
    select(Cap.kind, Cap.of, Cap.calls)
    .where(tuple_(Cap.kind, Cap.of).in_(_whom))
    .order_by(Cap.kind, Cap.of)
    .with_for_update()
)


class CapReached(Exception):
    """A cap or the floor allows no call now; no call was sent. `until`: when the day ends; None for the floor, which
    ends with more calls or an admin's leave."""

    def __init__(self, whom: Whom, calls: int, until: datetime | None) -> None:
        super().__init__(f"{whom.kind} cap of {calls}")
        self.whom = whom
        self.calls = calls
        self.until = until


def enforce(caller: Caller, zone: ZoneInfo, now: datetime) -> None:
    """Raises `CapReached` where one more call would pass a cap; in the intent's transaction."""
    today = day_of(now, zone)
    for whom, calls in _locked(heeded(caller, Source.DESK)):
        floor = whom.kind is CapKind.FLOOR
        used = 0 if floor else used_on(today, whom, zone)
        remaining = quota.valid_supply(today)[0] if floor else 0
        if refuses(whom.kind, calls, used=used, remaining=remaining):
            raise CapReached(whom, calls, None if floor else end_of(today, zone))


def _locked(whom: Sequence[Whom]) -> list[tuple[Whom, int]]:
    """The caps that there are for these, locked in one order, so that two callers never wait for each other. SQLite's
    writers take turns anyway."""
    rows = must_write().execute(_ROWS, {"whom": [(one.kind, one.of) for one in whom]})
    return [(Whom(CapKind(kind), of), calls) for kind, of, calls in rows]


def used_on(day: date, whom: Whom, zone: ZoneInfo) -> int:
    """How many calls of a daily cap are used."""
    match whom.kind:
        case CapKind.OPERATOR:
            return usage.spent(day, zone, operator_id=int(whom.of))
        case CapKind.DEPARTMENT:
            return usage.spent(day, zone, department_id=int(whom.of))
        case _other:
            return usage.spent(day, zone, source=whom.of)


def tell_admins(reached: CapReached, zone: ZoneInfo, now: datetime) -> None:
    """Tells admins, in the caller's transaction, that calls are refused: once a day for each cap."""
    day, whom = day_of(now, zone).isoformat(), reached.whom
    words: dict[str, Any] = {"calls": reached.calls, "day": day, "whom": name_of(whom)}
    notices.tell("admin", f"{whom.kind}_cap", f"cap:{whom.kind}:{whom.of}:{day}", now, **words)


def name_of(whom: Whom) -> str:
    """The name of the operator or department; that of a source is a word of the page's."""
    match whom.kind:
        case CapKind.OPERATOR:
            return db.session.scalar(select(User.name).where(User.id == int(whom.of))) or ""
        case CapKind.DEPARTMENT:
            return db.session.scalar(select(Department.name).where(Department.id == int(whom.of))) or ""
        case _other:
            return ""


def set_cap(whom: Whom, calls: int | None, who: Who, now: datetime) -> None:
    """Sets a cap, or with None takes it away; in the caller's transaction. The trail keeps what it was before."""
    session = must_write()
    row = session.scalar(select(Cap).where(Cap.kind == whom.kind, Cap.of == whom.of).with_for_update())
    before = None if row is None else row.calls
    if calls is not None:
        put(Cap, {"kind": whom.kind, "of": whom.of}, {"calls": calls, "changed_at": now, "changed_by": who.user_id})
    elif row is not None:
        session.delete(row)
        session.flush()
    if calls != before:
        append(who, Action.CAP_CHANGED, now, kind=whom.kind, of=whom.of, calls=calls, before=before)


def all_caps() -> Sequence[Cap]:
    """Every cap, the floor too."""
    return db.session.scalars(select(Cap).order_by(Cap.kind, Cap.of)).all()


def floor() -> int:
    """How many calls are kept for the desk."""
    kept = select(Cap.calls).where(Cap.kind == DESK_FLOOR.kind, Cap.of == DESK_FLOOR.of)
    return db.session.scalar(kept) or 0
