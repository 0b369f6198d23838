"""Passwords: Argon2id at OWASP's 19 MiB, two passes; at most two hashed at once a process, so that a flood of
log-ins costs time and not memory. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

from __future__ import annotations

import re
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

LEAST = 8
LONG = 16
MOST = 200
LEAST_BESIDE_OWN = 4
SHORTEST_OWN = 4
"""Characters of a mail address before the @ that say something: shorter ones are parts of many words."""

NONE = ""
"""Stored instead of a hash for a user who has no password: none is right."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turn = threading.BoundedSemaphore(2)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$A9JWHxOLzXfYPkTrCe4Vr1P8qSXvDVQzv1XVQV3mdDU"
"""Compared with when the account does not exist, so that both answers take the same time."""


def hash_password(password: str) -> str:
    """The Argon2id hash to store."""
    with _turn:
        return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one hashed; takes as long for an account that does not exist (None) or has none."""
    with _turn:
        try:
            return _hasher.verify(password_hash or _NOBODY, password[:MOST]) and bool(password_hash)
        except (VerificationError, InvalidHashError):
            return False


def fault(password: str, email: str) -> str | None:
    """What is wrong with a new password, said to the person who chose it; None where it will do."""
    kinds = sum(bool(re.search(kind, password)) for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]"))
    if len(password) < LEAST:
        return _("Use at least %(least)s characters.", least=LEAST)
    if len(password) > MOST:
        return _("Use at most %(most)s characters.", most=MOST)
    if any(unicodedata.category(character) == "Cc" for character in password):
        return _("Remove control characters and line breaks.")
    if len(password) < LONG and kinds < 2:
        return _("Mix letters with digits or signs, or use %(long)s characters or more.", long=LONG)
    own = email.split("@")[0].lower()
    if len(own) >= SHORTEST_OWN and own in password.lower() and len(password) - len(own) < LEAST_BESIDE_OWN:
        return _("Do not use your mail address in the password.")
    return None
