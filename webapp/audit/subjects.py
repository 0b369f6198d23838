"""Fingerprints of the people whom records are about.

A fingerprint is HMAC-SHA-256, cut to 128 bits, over kind and normalised value, under a key derived from the audit key.
That key lies outside the database, and it is not the one of the blind indexes: whoever holds the database alone can
compare a fingerprint with other fingerprints only, never with a person or a verification. It outlives the erasure of
the person's identity.
"""

from __future__ import annotations

import hashlib
import hmac

from webapp.foundation.keys import Keys
from webapp.foundation.sealing import derive

BYTES = 16
PURPOSE = "audit subject"


def fingerprint(kind: str, value: str, keys: Keys) -> bytes:
    """What to give `append` as `subject`. `kind`: one of the blind indexes' (`number`, `name`, …); `value`: normalised,
    as its blind index takes it."""
    return fingerprints(kind, value, keys)[0]


def fingerprints(kind: str, value: str, keys: Keys) -> list[bytes]:
    """What to search records for: one under each audit key, the present one first."""
    text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return [hmac.digest(derive(key, PURPOSE).secret, text, hashlib.sha256)[:BYTES] for key in keys.audit]
