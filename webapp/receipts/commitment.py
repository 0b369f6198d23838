"""The commitment of a receipt: what only who holds the paper, and knows whom it is about, can prove. Pure.

HMAC-SHA-256 (RFC 2104) under a key of the instance, over a version and the fields below, each with its length in four
bytes before it, so that no two receipts are ever one text. The salt of 128 bits is printed on the paper and kept
sealed beside the identity: once both are destroyed, not even who holds database and keys can try people out.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime

from webapp.receipts import paper

VERSION = "yuliang receipt 1"
NUMBER_BITS, NUMBER_SIZE = 55, 11
"""A receipt's number says nothing: neither how many there are nor which comes next."""
SALT_BYTES, SALT_SIZE = 16, 26


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands on a receipt for ever, and names nobody. `reused_at`: when a recent result was shown instead."""

    number: str
    unit: str
    outcome: str
    at: datetime
    reused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """What only the paper's holder has: whom it is about (normalised as at verification), and the salt."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    salt: bytes = field(repr=False)


def digest(facts: Facts, secret: Secret, key: bytes) -> bytes:
    """The 32 bytes that stand for a receipt."""
    fields = (
        VERSION.encode(), facts.number.encode(), facts.unit.encode(), facts.outcome.encode(), _instant(facts.at),
        _instant(facts.reused_at), _text(secret.name), _text(secret.id_number), secret.salt,
    )  # fmt: skip
    message = b"".join(len(one).to_bytes(4, "big") + one for one in fields)
    return hmac.digest(key, message, hashlib.sha256)


def holds(commitment: bytes, facts: Facts, secret: Secret, key: bytes) -> bool:
    """Whether the commitment is about exactly this, in the same time whatever is wrong."""
    return hmac.compare_digest(commitment, digest(facts, secret, key))


def read_number(text: str) -> str:
    """A receipt number as it is stored, from whatever was typed. Raises `paper.Mistyped`."""
    return paper.write(paper.read(text, NUMBER_SIZE), NUMBER_SIZE)


def write_salt(salt: bytes) -> str:
    """The salt as it is printed."""
    return paper.grouped(paper.write(int.from_bytes(salt, "big"), SALT_SIZE))


def read_salt(text: str) -> bytes:
    """The salt that was typed. Raises `paper.Mistyped`."""
    value = paper.read(text, SALT_SIZE)
    if value >> 8 * SALT_BYTES:  # 26 characters hold two bits more
        raise paper.Mistyped(paper.Slip.CHECK)
    return value.to_bytes(SALT_BYTES, "big")


def _instant(at: datetime | None) -> bytes:
    return b"" if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").encode()


def _text(typed: str) -> bytes:
    return typed.encode("utf-8", "surrogatepass")
