"""The seals of the chain, and the encoding that they are made over. Pure.

A row is encoded as its values in the order of its columns, each as a netstring with the letter of its type, so that no
two different rows, and no two different sequences of rows, encode alike. Seals are HMAC-SHA-256 under a key derived
from the audit key; what is sealed begins with the name of its kind, so that no seal can stand for one of another kind.

* `content` of a segment: over every field of every record, in the order of their numbers.
* `marks` of a segment: for each record its number and four bytes of an HMAC over its other fields. They prove nothing
  by themselves: they say which record it was once `content` has said that the segment is not what it was.
* `seal` of a segment: over its whole row, `content`, `marks` and the seal of the segment before among it. Its kind says
  how its records came in: `STAMPED`, where each one's stamp was found right, or `FOUND`, as they were found.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

Value = int | float | str | bytes | None
Row = Sequence[Value]
"""Values as they are stored, not as models read them: times and JSON as text, truth as 0 or 1."""

RECORD, CONTENT, FOUND, _OF_CHECKPOINT, STAMP = (
    f"yuliang audit {kind} 1" for kind in ("record", "content", "segment", "checkpoint", "stamp")
)
STAMPED = "yuliang audit segment 2"
SEGMENT, CHECKPOINT = (STAMPED, FOUND), (_OF_CHECKPOINT,)
"""What each may be sealed as. `FOUND` are records from before there were stamps, and those that were loaded in bulk."""
GENESIS = bytes(32)
"""Stands where the first segment names the one before."""
_MARK = struct.Struct(">q4s")


def encode(row: Row) -> bytes:
    """The canonical encoding: injective, and a netstring itself."""
    return _whole(_fields(row))


def _whole(fields: Sequence[bytes]) -> bytes:
    content = b"".join(fields)
    return b"r%d:%b" % (len(content), content)


def _fields(row: Row) -> list[bytes]:
    return [_ENCODED[type(value)](value) for value in row]


def _text(value: str) -> bytes:
    content = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(content), content)


def _number(value: int) -> bytes:
    content = b"%d" % value
    return b"i%d:%b" % (len(content), content)


def _fraction(value: float) -> bytes:
    content = value.hex().encode()
    return b"f%d:%b" % (len(content), content)


class _Encoders(dict[type, Callable[[Any], bytes]]):
    """By type of value, found once for each: a year of records has millions of values."""

    def __missing__(self, kind: type) -> Callable[[Any], bytes]:
        self[kind] = found = next(self[base] for base in (str, int, float, bytes) if issubclass(kind, base))
        return found


_ENCODED = _Encoders({
    str: _text, int: _number, float: _fraction, bytes: lambda value: b"b%d:%b" % (len(value), value),
    type(None): lambda _value: b"n0:",
})  # fmt: skip


_OF_RECORD = encode([RECORD])


class Content:
    """Seals the records of one segment, handed over one by one."""

    def __init__(self, secret: bytes) -> None:
        self._sum = hmac.new(secret, encode([CONTENT]), hashlib.sha256)
        self.records = 0

    def add(self, record: Row) -> None:
        """Takes the next record."""
        self.add_encoded(encode(record))

    def add_encoded(self, record: bytes) -> None:
        """The same, encoded already."""
        self._sum.update(record)
        self.records += 1

    def digest(self) -> bytes:
        """The seal over all that was added."""
        return self._sum.digest()


def content(secret: bytes, records: Iterable[Row]) -> bytes:
    """The seal over all these records."""
    sealing = Content(secret)
    for record in records:
        sealing.add(record)
    return sealing.digest()


def mark(secret: bytes, record: Row) -> bytes:
    """A record's mark, over all its fields but its number, the first: two that changed places have each other's."""
    return _mark(secret, _fields(record))


def _mark(secret: bytes, fields: Sequence[bytes]) -> bytes:
    return hmac.digest(secret, _OF_RECORD + _whole(fields[1:]), "sha256")[:4]


def seals(secret: bytes, records: Iterable[Row]) -> tuple[bytes, bytes]:
    """`content` and `marks`, as they are stored, of the records of a segment."""
    sealing, marks = Content(secret), []
    for record in records:
        fields = _fields(record)
        sealing.add_encoded(_whole(fields))
        marks.append(_MARK.pack(record[0], _mark(secret, fields)))
    return sealing.digest(), b"".join(marks)


def values(row: Row) -> bytes:
    """The encodings of these values one after the other, for rows that have some in common: see `seals_encoded`."""
    return b"".join(_fields(row))


def seals_encoded(secret: bytes, records: Iterable[tuple[int, bytes]]) -> tuple[bytes, bytes]:
    """As `seals`, of records by their number and the `values` of all that follows it. `secret`: 64 bytes at most."""
    # The two halves of an HMAC (RFC 2104), begun once: a copy of each costs a third of a whole one.
    key = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + _OF_RECORD)
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))
    encoded, marks = [], []
    for number, rest in records:
        first = _number(number)
        encoded.append(b"r%d:%b%b" % (len(first) + len(rest), first, rest))
        mine, whole = inner.copy(), outer.copy()
        mine.update(b"r%d:%b" % (len(rest), rest))
        whole.update(mine.digest())
        marks.append(_MARK.pack(number, whole.digest()[:4]))
    return hmac.digest(secret, encode([CONTENT]) + b"".join(encoded), hashlib.sha256), b"".join(marks)


def unpack_marks(packed: bytes) -> Iterator[tuple[int, bytes]]:
    """What `pack_marks` packed."""
    return _MARK.iter_unpack(packed)


def seal(secret: bytes, kind: str, row: Row) -> bytes:
    """The seal over a segment's or checkpoint's row without its seal, the last."""
    return hmac.digest(secret, encode([kind]) + encode(row), hashlib.sha256)


def is_sealed(secret: bytes, kinds: Sequence[str], row: Row) -> bool:
    """Whether the row's seal, its last value, is ours, of one of these kinds."""
    return sealed_as(secret, kinds, row) is not None


def sealed_as(secret: bytes, kinds: Sequence[str], row: Row) -> str | None:
    """As which of these kinds we sealed the row; None: as none of them."""
    found = row[-1]
    if not isinstance(found, bytes):
        return None
    return next((kind for kind in kinds if hmac.compare_digest(found, seal(secret, kind, row[:-1]))), None)
