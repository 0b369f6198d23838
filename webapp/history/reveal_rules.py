"""How often people may be revealed, and for what reasons. Pure."""

from __future__ import annotations

from enum import StrEnum

SHOWN_SECONDS = 60
"""How long a revealed person stays on the page."""
MOST_IN_AN_HOUR = 30
"""Reveals of one reader: more is no case work."""
MANY_IN_A_DAY = 50
"""Reveals of one reader of which auditors are told."""


class Reason(StrEnum):
    """Why somebody is shown in plaintext."""

    SETTLE = "settle"
    RECONCILE = "reconcile"
    RECEIPT = "receipt"
    PERSON = "person"
    """The person asks for what is theirs (PIPL, articles 44 to 47)."""
    AUDIT = "audit"
    AUTHORITY = "authority"
    """Somebody who may by law demand it does."""
