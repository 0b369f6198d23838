"""Sealing of personal data and blind indexes over it.

A sealed blob is `version | key id length | key id | nonce | ciphertext and tag`: AES-256-GCM (NIST SP 800-38D) with
a random 96-bit nonce; the version byte names format and algorithm, so that another (SM4-GCM) can join. The
associated data is the table and row, so a blob copied to another row does not open.

A blind index is HMAC-SHA-256, cut to 128 bits, under a key derived from the index key by HKDF (RFC 5869) for each
kind: the space of ID numbers is small enough to try out a plain hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from webapp.foundation.keys import Key, Keys

AES_256_GCM = 1
NONCE_BYTES = 12
INDEX_BYTES = 16


class CannotOpen(Exception):
    """A blob was sealed under a key this instance does not hold, or was changed or moved."""


def derive(key: Key, purpose: str) -> Key:
    """A key of the same name, of its own for `purpose` (HKDF): it tells nothing of `key`, nor of its other keys."""
    return Key(key.id, HKDF(SHA256(), 32, salt=None, info=f"yuliang {purpose}".encode()).derive(key.secret))


class Sealer:
    """Seals and opens under the instance's data keys, and makes blind indexes under its index keys."""

    def __init__(self, keys: Keys) -> None:
        self._current = keys.data[0].id
        self._data = {key.id: AESGCM(key.secret) for key in keys.data}
        self._secrets = {key.id: key.secret for key in keys.data}
        self._index = keys.index
        self._derived: dict[tuple[str, str], bytes] = {}

    def seal(self, content: bytes, place: str) -> bytes:
        """The sealed `content`, bound to `place` (for example `identity:17`)."""
        key_id = self._current.encode()
        head = bytes((AES_256_GCM, len(key_id))) + key_id
        nonce = os.urandom(NONCE_BYTES)
        return head + nonce + self._data[self._current].encrypt(nonce, content, head + place.encode())

    def open(self, blob: bytes, place: str) -> bytes:
        """What was sealed for `place`. Raises `CannotOpen`."""
        try:
            if blob[0] != AES_256_GCM:
                raise CannotOpen(f"unknown algorithm {blob[0]}")
            end = 2 + blob[1]
            head, nonce, rest = blob[:end], blob[end : end + NONCE_BYTES], blob[end + NONCE_BYTES :]
            cipher = self._data[head[2:].decode()]
            return cipher.decrypt(nonce, rest, head + place.encode())
        except (InvalidTag, KeyError, IndexError, UnicodeDecodeError, ValueError) as error:
            raise CannotOpen(f"{place} does not open under the keys of this instance") from error

    def seal_json(self, content: dict[str, Any], place: str) -> bytes:
        """As `seal`, for a JSON object."""
        return self.seal(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), place)

    def open_json(self, blob: bytes, place: str) -> dict[str, Any]:
        """As `open`, for a JSON object."""
        content: dict[str, Any] = json.loads(self.open(blob, place).decode())
        return content

    def index(self, kind: str, value: str) -> bytes:
        """The blind index to store for `value`, under the first index key."""
        return self._digest(self._index[0], kind, value)

    def indexes(self, kind: str, value: str) -> list[bytes]:
        """The blind indexes to search for `value`: one under each live index key."""
        return [self._digest(key, kind, value) for key in self._index]

    def derived(self, purpose: str, key_id: str | None = None) -> Key:
        """A key of its own for `purpose` (HKDF), from the data key of that name; by default from the first.

        Raises `CannotOpen` where this instance does not hold that key.
        """
        name = self._current if key_id is None else key_id
        if name not in self._secrets:
            raise CannotOpen(f"key {name} is not among the data keys of this instance")
        return derive(Key(name, self._secrets[name]), purpose)

    def fingerprint(self) -> str:
        """Says, without telling the keys, which index key is first: a changed one would find nothing."""
        return self.index("fingerprint", self._index[0].id).hex()

    def _digest(self, key: Key, kind: str, value: str) -> bytes:
        derived = self._derived.get((key.id, kind))
        if derived is None:
            derived = self._derived[key.id, kind] = derive(key, f"blind index {kind}").secret
        return hmac.digest(derived, value.encode("utf-8", "surrogatepass"), hashlib.sha256)[:INDEX_BYTES]
