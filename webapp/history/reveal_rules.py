"""How often people may be revealed, for what reasons, and what a reason may not say. Pure."""

from __future__ import annotations

import re
import unicodedata
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


def names_someone(words: str, *secrets: str) -> bool:
    """Whether the words of a reason hold one of these (a name, a number), or what looks like an ID number: they are
    kept in the clear for auditors."""
    plain = re.sub(r"[\s\-·.]", "", unicodedata.normalize("NFKC", words)).casefold()
    if re.search(r"\d{14}", plain):
        return True
    return any(re.sub(r"[\s\-·.]", "", secret).casefold() in plain for secret in secrets if secret)
