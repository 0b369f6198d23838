"""Making and changing purposes: why people are verified, on what ground, and for how long a result stands.

A purpose that was used stays for ever, for what was verified refers to it; it can only be switched off.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import must_write
from webapp.verification.models import LegalBasis, Purpose

LONGEST_REUSE = 24 * 30
"""Hours."""


class NameTaken(Exception):
    """Another purpose has one of these names; nothing was stored."""


class LastPurpose(Exception):
    """One purpose must stay in use, or nobody could be verified; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an admin decides about a purpose; windows in hours, 0: never reused."""

    name_zh: str
    name_en: str
    legal_basis: LegalBasis
    reference_required: bool
    reuse_match: int
    reuse_mismatch: int
    reuse_no_such_number: int
    active: bool = True


def add(terms: Terms, who: Who, now: datetime) -> Purpose:
    """Stores a new purpose, in the caller's transaction. Raises `NameTaken`."""
    session = must_write()
    _refuse_taken(terms, 0)
    purpose = Purpose(**asdict(terms))
    session.add(purpose)
    session.flush()
    append(who, Action.PURPOSE_ADDED, now, on=("purpose", purpose.id), **_told(terms))
    return purpose


def change(purpose_id: int, terms: Terms, who: Who, now: datetime) -> None:
    """Changes a purpose for what is verified from now on, in the caller's transaction. Raises `NameTaken`,
    `LastPurpose`."""
    session = must_write()
    rows = session.scalars(select(Purpose).order_by(Purpose.id).with_for_update()).all()
    purpose = next(row for row in rows if row.id == purpose_id)
    _refuse_taken(terms, purpose_id)
    if not terms.active and not any(row.active for row in rows if row.id != purpose_id):
        raise LastPurpose
    for name, value in asdict(terms).items():
        setattr(purpose, name, value)
    append(who, Action.PURPOSE_CHANGED, now, on=("purpose", purpose_id), **_told(terms))


def _refuse_taken(terms: Terms, purpose_id: int) -> None:
    same = or_(Purpose.name_zh == terms.name_zh, Purpose.name_en == terms.name_en)
    taken = select(func.count()).select_from(Purpose).where(same, Purpose.id != purpose_id)
    if must_write().scalar(taken):
        raise NameTaken


def _told(terms: Terms) -> dict[str, Any]:
    """What the trail keeps of it."""
    windows = f"{terms.reuse_match}/{terms.reuse_mismatch}/{terms.reuse_no_such_number}"
    return {"basis": terms.legal_basis, "reference": terms.reference_required, "reuse": windows, "active": terms.active}
