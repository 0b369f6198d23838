"""Stamps: what shows, before the chain closes over a record, that this product wrote it as it stands.

A stamp is HMAC-SHA-256, cut to 128 bits, over every field of the record, its number among them, under a key of its own
derived from the audit key. Whoever has the database and no key can make none; and since no two records have one number,
a copy of a genuine record is refused as well.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from webapp.audit.chain import STAMP, encode
from webapp.audit.stored import Record
from webapp.foundation.keys import Key, Keys
from webapp.foundation.sealing import derive

BYTES = 16
PURPOSE = "audit stamp"
_BEGINNING = encode([STAMP])


def stamped(record: Record, keys: Keys) -> Record:
    """The record with its stamp, under the first audit key."""
    return record._replace(stamp=_stamp(_secrets(keys.audit)[0], record))


def is_stamped(record: Record, keys: Keys) -> bool:
    """Whether the record is as one of the audit keys stamped it."""
    found = record.stamp
    return isinstance(found, bytes) and any(
        hmac.compare_digest(found, _stamp(secret, record)) for secret in _secrets(keys.audit)
    )


def _stamp(secret: bytes, record: Record) -> bytes:
    return hmac.digest(secret, _BEGINNING + encode(record[:-1]), hashlib.sha256)[:BYTES]


@lru_cache(maxsize=8)
def _secrets(keys: tuple[Key, ...]) -> tuple[bytes, ...]:
    return tuple(derive(key, PURPOSE).secret for key in keys)
