"""Searching: the text is kept sealed under a handle for one user and some hours; the trail keeps whom it was about."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from webapp.accounts.models import User
from webapp.audit import subjects
from webapp.audit.meant import record_meant
from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.redaction import conceal
from webapp.foundation.sealing import CannotOpen
from webapp.history import queries, search_limits
from webapp.history.filters import Filters
from webapp.history.scans import V
from webapp.history.search_limits import TooManySearches
from webapp.history.search_models import StoredSearch
from webapp.history.search_readings import readings

LASTING = timedelta(hours=12)
"""How long a search can be paged through: a shift."""
HANDLE_BYTES = 16


class SearchGone(Exception):
    """There is no such search for this user, or it has expired: it must be sent again."""


def search(text: str, who: Who, instance: Instance, now: datetime) -> str:
    """Keeps the text, records as what it is looked for, about whom and whether that found anybody, and returns its
    handle. Raises `TooManySearches`."""
    conceal(text)
    handle, found = secrets.token_urlsafe(HANDLE_BYTES), _finds(text, who, instance)
    with transaction() as session:
        texts = [(one.kind, one.value) for one in readings(text)]
        wait = search_limits.wait_for_texts(texts, who, instance, now)
        outcome = {"fault": search_limits.REFUSED} if wait else {"found": found}
        for kind, value in texts:
            meant = subjects.fingerprint(kind, value, instance.keys)
            append(who, Action.HISTORY_SEARCHED, now, success=not wait, subject=meant, kind=kind, **outcome)
        if not wait:
            sealed = instance.sealer.seal(text.encode(), _place(handle))
            session.add(StoredSearch(handle=handle, user_id=who.user_id, sealed=sealed, expires_at=now + LASTING))
    if wait:
        raise TooManySearches(wait)
    return handle


def _finds(text: str, who: Who, instance: Instance) -> bool:
    """Whether the text leads to anything that this reader may see, whatever the other filters."""
    reader = db.session.get_one(User, who.user_id)
    first = queries.stretch(Filters(search=text), reader, instance, 1, None, columns=(V.c.id,))
    return bool(first.found) or first.more


def record_view(
    found: Filters, filters: str, shown: Sequence[int], who: Who, instance: Instance, now: datetime
) -> None:
    """Adds to the trail, in the caller's transaction, that a page was looked at; `filters`: names of those in force;
    `shown`: the verifications on it. What a search may mean is told apart from them."""
    append(who, Action.HISTORY_VIEWED, now, shown=shown, filters=filters, rows=len(shown))
    meant = ((one.kind, one.value) for one in readings(found.search or ""))
    record_meant(Action.HISTORY_VIEWED, meant, who, instance.keys, now, found=bool(shown))


def text_of(handle: str, user_id: int, instance: Instance, now: datetime) -> str:
    """The text of a search of this user. Raises `SearchGone`."""
    mine = StoredSearch.handle == handle, StoredSearch.user_id == user_id, StoredSearch.expires_at > now
    sealed = db.session.scalar(select(StoredSearch.sealed).where(*mine))
    if sealed is None:
        raise SearchGone
    text = instance.sealer.open(sealed, _place(handle)).decode()
    conceal(text)
    return text


def forget_expired(now: datetime) -> bool:
    """Drops searches that have expired; False: nothing is left to do."""
    with transaction() as session:
        session.execute(delete(StoredSearch).where(StoredSearch.expires_at <= now))
    return False


def about(means: Callable[[str], bool], instance: Instance) -> list[str]:
    """The handles of every kept search whose text means a person, or cannot be read: nobody knows whom that means, and
    nobody can page through it."""
    kept = db.session.execute(select(StoredSearch.handle, StoredSearch.sealed)).all()
    return [handle for handle, sealed in kept if _is_about(handle, sealed, means, instance)]


def _is_about(handle: str, sealed: bytes, means: Callable[[str], bool], instance: Instance) -> bool:
    try:
        return means(instance.sealer.open(sealed, _place(handle)).decode())
    except CannotOpen:
        return True


def forget_about(means: Callable[[str], bool], instance: Instance) -> int:
    """Drops every search whose text means an erased person, in the caller's transaction; returns how many. Whoever is
    paging through one must send it again."""
    gone = about(means, instance)
    must_write().execute(delete(StoredSearch).where(StoredSearch.handle.in_(gone)))
    return len(gone)


def _place(handle: str) -> str:
    return f"stored_search:{handle}"
