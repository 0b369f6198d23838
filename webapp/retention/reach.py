"""How far back what is stored reaches: by what is there and what was destroyed, whatever the settings promise."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from webapp.audit import queries as audit
from webapp.foundation.database import db
from webapp.retention import purging
from webapp.retention.rules import Kind
from webapp.verification.models import Verification


class Reach(NamedTuple):
    """From `since` on everything stands that was not erased on request; None: there is nothing. `is_cut`: there was
    something before, which its age has ended."""

    since: datetime | None
    is_cut: bool

    def within(self, first: datetime) -> datetime:
        """From when on, of the time since `first`, everything stands."""
        return max(first, self.since) if self.since is not None else first


def of_trail() -> Reach:
    """The audit trail: from its oldest record on."""
    return Reach(audit.oldest(), not audit.is_whole())


def of_people() -> Reach:
    """Whom verifications were about: from the latest edge of any purge on; of before is left what it spared,
    held or not settled. Where no purge took anybody: from the first verification on."""
    edge = purging.edge(Kind.IDENTITY)
    if edge is not None:
        return Reach(edge, is_cut=True)
    return Reach(db.session.scalar(select(func.min(Verification.created_at))), is_cut=False)
