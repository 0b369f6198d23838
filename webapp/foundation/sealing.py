"""Sealing of personal data and blind indexes over it.

A sealed blob is `version | key id length | key id | nonce | ciphertext and tag`: AES-256-GCM (NIST SP 800-38D) with
a random 96-bit nonce; the version byte names format and algorithm, so that another (SM4-GCM) can join: one line in
`ALGORITHMS`, and `yuliang rotate-keys` brings all that is sealed to it. The associated
data is the table and row, so a blob copied to another row does not open.

A blind index is HMAC-SHA-256, cut to 128 bits, under a key derived from the index key by HKDF (RFC 5869) for each
kind: the space of ID numbers is small enough to try out a plain hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from webapp.foundation.keys import Key, Keys


class Cipher(Protocol):
    """Authenticated encryption with associated data (RFC 5116): nonces of 96 bits, the tag behind the ciphertext."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The ciphertext and its tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The content. Raises `InvalidTag`, `ValueError`."""


class Algorithm(NamedTuple):
    """What blobs are sealed with: its name, and its cipher of the 32 bytes of a data key. One that takes other keys, or
    shall not share them with another algorithm, derives its own (`derive`)."""

    name: str
    cipher: Callable[[bytes], Cipher]


ALGORITHMS: dict[int, Algorithm] = {1: Algorithm("AES-256-GCM", AESGCM)}
"""By the first byte of a blob. What is new is sealed with the highest; the others open what they have sealed."""
INDEX_ALGORITHM = "HMAC-SHA-256/128"
NONCE_BYTES = 12
INDEX_BYTES = 16


class CannotOpen(Exception):
    """A blob was sealed under a key this instance does not hold, or was changed or moved."""


class KeyMissing(CannotOpen):
    """A blob names a key that is not here, `key_id`: with that key put back it opens."""

    def __init__(self, text: str, key_id: str) -> None:
        super().__init__(text)
        self.key_id = key_id


class Head(NamedTuple):
    """How a blob was sealed: number of the algorithm, id of the key."""

    algorithm: int
    key_id: str


def head_of(blob: bytes) -> Head:
    """How a blob was sealed. Raises `CannotOpen` where it is no blob."""
    try:
        return Head(blob[0], blob[2 : 2 + blob[1]].decode())
    except (IndexError, UnicodeDecodeError) as error:
        raise CannotOpen("this was never sealed") from error


class _Held(NamedTuple):
    """The keys of one moment; replaced as a whole, for other threads are sealing meanwhile."""

    sealing: str
    indexing: str
    head: bytes
    """What everything begins with that is sealed."""
    ciphers: dict[bytes, Cipher]
    """By what their blobs begin with."""
    secrets: dict[str, bytes]
    index_keys: tuple[Key, ...]
    derived: dict[tuple[str, str], bytes]


def sealing_algorithm() -> int:
    """The number of the algorithm that seals what is new."""
    return max(ALGORITHMS)


def make_head(algorithm: int, key_id: str) -> bytes:
    """What blobs begin with that are sealed so."""
    name = key_id.encode()
    return bytes((algorithm, len(name))) + name


def derive(key: Key, purpose: str) -> Key:
    """A key of the same name, of its own for `purpose` (HKDF): it tells nothing of `key`, nor of its other keys."""
    return Key(key.id, HKDF(SHA256(), 32, salt=None, info=f"yuliang {purpose}".encode()).derive(key.secret))


def fingerprint_of(key: Key) -> str:
    """Says which key it is, without telling it."""
    return derive(key, "key fingerprint").secret[:16].hex()


class Sealer:
    """Seals and opens under the instance's data keys, and makes blind indexes under its index keys."""

    def __init__(self, keys: Keys) -> None:
        self.fetch_keys: Callable[[], bool] | None = None
        """Looks for keys that came later, see `key_ring`; whether there are any."""
        self.heed: Callable[[], None] | None = None
        """Called before something is sealed, indexed or looked for, see `key_ring`: the keys may be others by now."""
        self.retired: frozenset[str] = frozenset()
        """Ids of data keys that everything was sealed anew without: what still names one opens under no key."""
        self.retired_index: frozenset[str] = frozenset()
        """Ids of index keys that everything was indexed anew without: nothing is searched under them."""
        self.hold(keys)

    def hold(self, keys: Keys, sealing: str | None = None, indexing: str | None = None) -> None:
        """From now on these keys; the named ones seal and index, by default the first of each."""
        first = sealing or keys.data[0].id
        self._held = _Held(
            first, indexing or keys.index[0].id, make_head(sealing_algorithm(), first),
            {make_head(number, key.id): one.cipher(key.secret)
             for key in keys.data for number, one in ALGORITHMS.items()},
            {key.id: key.secret for key in keys.data}, keys.index, {},
        )  # fmt: skip

    @property
    def sealing(self) -> str:
        """Id of the data key that seals."""
        return self._held.sealing

    @property
    def indexing(self) -> str:
        """Id of the index key that indexes."""
        return self._held.indexing

    @property
    def head(self) -> bytes:
        """What everything begins with that is sealed now."""
        return self._held.head

    def seal(self, content: bytes, place: str) -> bytes:
        """The sealed `content`, bound to `place` (for example `identity:17`)."""
        if self.heed is not None:
            self.heed()
        held = self._held
        head, nonce = held.head, os.urandom(NONCE_BYTES)
        return head + nonce + held.ciphers[head].encrypt(nonce, content, head + place.encode())

    def seal_all(self, contents: Iterable[tuple[str, bytes]]) -> list[bytes]:
        """As `seal`, of many: by their places."""
        if self.heed is not None:
            self.heed()
        held = self._held
        head = held.head
        encrypt, some = held.ciphers[head].encrypt, list(contents)
        pool = os.urandom(NONCE_BYTES * len(some))
        nonces = (pool[at : at + NONCE_BYTES] for at in range(0, len(pool), NONCE_BYTES))
        return [
            head + nonce + encrypt(nonce, content, head + place.encode())
            for (place, content), nonce in zip(some, nonces, strict=True)
        ]

    def open(self, blob: bytes, place: str) -> bytes:
        """What was sealed for `place`. Raises `CannotOpen`, `KeyMissing`."""
        try:
            end = 2 + blob[1]
            head = blob[:end]
            cipher = self._held.ciphers.get(head) or self._cipher(head, place)
            return cipher.decrypt(blob[end : end + NONCE_BYTES], blob[end + NONCE_BYTES :], head + place.encode())
        except (InvalidTag, IndexError, UnicodeDecodeError, ValueError) as error:
            raise CannotOpen(f"{place} does not open under the keys of this instance") from error

    def open_rows(self, rows: Iterable[tuple[int, bytes]], table: str) -> Iterator[bytes]:
        """As `open`, of many rows of a table: what was sealed for `identity:17` and so on. The key is looked for once,
        not for each row, as long as it is the same."""
        head, beyond, decrypt, begin = b"", 0, None, b""
        for number, blob in rows:
            if decrypt is None or not blob.startswith(head):
                yield self.open(blob, f"{table}:{number}")  # which raises, or knows the key from now on
                head = blob[: 2 + blob[1]]
                decrypt, beyond = self._held.ciphers[head].decrypt, len(head) + NONCE_BYTES
                begin = head + f"{table}:".encode()
                continue
            try:
                content = decrypt(blob[beyond - NONCE_BYTES : beyond], blob[beyond:], begin + b"%d" % number)
            except (InvalidTag, ValueError) as error:
                raise CannotOpen(f"{table}:{number} does not open under the keys of this instance") from error
            yield content

    def _cipher(self, head: bytes, place: str) -> Cipher:
        algorithm, key_id = head[0], head[2:].decode()
        if algorithm not in ALGORITHMS:
            raise CannotOpen(
                f"{place} is sealed with algorithm {algorithm}, which this version does not know: a newer Yuliang "
                "sealed it, or it was changed"
            )
        if self.fetch_keys is not None and self.fetch_keys() and (cipher := self._held.ciphers.get(head)) is not None:
            return cipher
        fault = f"{place} does not open under the keys of this instance: data key {key_id!r} is not here"
        raise KeyMissing(fault, key_id)

    def seal_json(self, content: dict[str, Any], place: str) -> bytes:
        """As `seal`, for a JSON object."""
        return self.seal(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), place)

    def open_json(self, blob: bytes, place: str) -> dict[str, Any]:
        """As `open`, for a JSON object."""
        content: dict[str, Any] = json.loads(self.open(blob, place).decode())
        return content

    def index(self, kind: str, value: str) -> bytes:
        """The blind index to store for `value`, under the key that indexes."""
        if self.heed is not None:
            self.heed()
        held = self._held
        return _digest(held, next(key for key in held.index_keys if key.id == held.indexing), kind, value)

    def indexes(self, kind: str, value: str, *, fleeting: bool = False) -> list[bytes]:
        """The blind indexes to search for `value`: one under each live index key, the one that indexes last.

        While keys are rotated a row goes from an older key to that one: who asks for one after the other, in this
        order, meets it at least once. What is `fleeting` is not indexed anew: it is looked for under retired keys too.
        """
        if self.heed is not None:
            self.heed()
        held, gone = self._held, frozenset() if fleeting else self.retired_index
        live = (key for key in held.index_keys if key.id not in gone)
        return [_digest(held, key, kind, value) for key in sorted(live, key=lambda key: key.id == held.indexing)]

    def derived(self, purpose: str, key_id: str | None = None) -> Key:
        """A key of its own for `purpose` (HKDF), from the data key of that name; by default from the one that seals.

        Raises `CannotOpen` where this instance does not hold that key.
        """
        held = self._held
        name = held.sealing if key_id is None else key_id
        if name not in held.secrets:
            raise KeyMissing(f"key {name} is not among the data keys of this instance", name)
        return derive(Key(name, held.secrets[name]), purpose)

    def fingerprint(self) -> str:
        """Says, without telling the keys, which index key indexes: a changed one would find nothing."""
        return self.index_fingerprints()[self.indexing]

    def index_fingerprints(self) -> dict[str, str]:
        """Says of each index key, by id, which one it is, without telling it."""
        held = self._held
        return {key.id: _digest(held, key, "fingerprint", key.id).hex() for key in held.index_keys}

    def data_fingerprints(self) -> dict[str, str]:
        """As `index_fingerprints`, of the data keys."""
        secrets = self._held.secrets
        return {name: fingerprint_of(Key(name, secret)) for name, secret in secrets.items()}


def _digest(held: _Held, key: Key, kind: str, value: str) -> bytes:
    derived = held.derived.get((key.id, kind))
    if derived is None:
        derived = held.derived[key.id, kind] = derive(key, f"blind index {kind}").secret
    return hmac.digest(derived, value.encode("utf-8", "surrogatepass"), hashlib.sha256)[:INDEX_BYTES]
