"""Whom an act was about: told in records of their own, apart from those that name verifications.

One record with a fingerprint and a verification would tell whoever has the audit key whose erased facts were which.
These hold no verification, no count and no request's id; their time is cut to the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from webapp.audit.subjects import fingerprint
from webapp.audit.trail import Action, Who, append
from webapp.foundation.keys import Keys


def record_meant(
    act: Action, meant: Iterable[tuple[str, str]], who: Who, keys: Keys, now: datetime, **detail: Any
) -> None:
    """Adds, in the caller's transaction, a record for each kind and normalised value; `act`: what was done."""
    apart, second = replace(who, request_id=""), now.replace(microsecond=0)
    for kind, value in meant:
        about = fingerprint(kind, value, keys)
        append(apart, Action.PERSON_MEANT, second, subject=about, kind=kind, act=act.value, **detail)
