"""Keyset pages over verifications: constant at any depth, no COUNT, stable while rows are added.

Newest first is by time and, of one instant, by number. What is searched for comes by number alone, the order in which
intents were stored: that is how the blind indexes have it, and only clocks set back make a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from webapp.accounts.models import User
from webapp.foundation.instance import Instance
from webapp.history import facts, search_keys
from webapp.history.facts import Found, Place, Row, Scope
from webapp.history.filters import OLDEST, Cursor, Filters
from webapp.history.scans import SHOWN
from webapp.verification.models import Verification


class Page(NamedTuple):
    """Rows, newest first, and the cursors to both sides (None: nothing there).

    `looked_until`: where only so many rows were looked at, the time of the last of them; further ones lie beyond.
    """

    rows: Sequence[Row]
    newer: str | None
    older: str | None
    looked_until: datetime | None = None


class Stretch(NamedTuple):
    """Some rows behind a place, in their order. `edge`: where only so many rows were looked at, the last of them.
    `more`: whether others may follow."""

    found: Found
    edge: Place | None
    more: bool


def page(filters: Filters, viewer: User, instance: Instance, size: int, cursor: Cursor | None) -> Page:
    """One page of what `viewer` may see."""
    here = stretch(filters, viewer, instance, size + 1, cursor)
    return _page([*map(Row._make, here.found)], size, cursor, here.edge)


def stretch(
    filters: Filters, viewer: User, instance: Instance, limit: int, cursor: Cursor | None, *,
    columns: tuple[Any, ...] = SHOWN, until: datetime | None = None,
) -> Stretch:  # fmt: skip
    """The next rows beyond a place of what `viewer` may see, at most `limit`: what pages and files are made of.

    `columns`: what is read of each, first number and instant; `until`: nothing that was verified later.
    """
    scope, newer = facts.scope_of(filters, viewer, instance.settings.zone), cursor is not None and not cursor.older
    if scope is None:
        return Stretch([], None, False)
    if until is not None:
        end = until + timedelta(microseconds=1), -1
        scope = replace(scope, high=min(end, scope.high or end))
    keys = search_keys.keys(filters, instance.sealer)
    if keys is None:
        found, more = facts.rows(_behind(scope, cursor), limit, newer=newer, columns=columns)
        return Stretch(found, None, more)
    ids, edge = search_keys.find(keys, scope, cursor, limit)
    found = facts.rows_of(ids, columns)
    return Stretch(found, edge, edge is not None or (len(ids) == limit and bool(found)))


def matching(filters: Filters, viewer: User, instance: Instance) -> Select[Verification]:
    """All that fits, in no order: the plain filter that pages and files answer for. Reads everything."""
    scope = facts.scope_of(filters, viewer, instance.settings.zone)
    if scope is None:
        return select(Verification).where(Verification.id.is_(None))
    equal = [getattr(Verification, column) == value for column, value in scope.equal.items()]
    since = [Verification.created_at >= scope.low[0]] if scope.low else []
    until = [Verification.created_at < scope.high[0]] if scope.high else []
    return select(Verification).where(*equal, *since, *until, *search_keys.conditions(filters, instance.sealer))


def _behind(scope: Scope, cursor: Cursor | None) -> Scope:
    """What of it lies beyond the cursor."""
    if cursor is None:
        return scope
    place = (cursor.at, cursor.id)
    if cursor.older:
        return replace(scope, high=min(place, scope.high or place))
    return replace(scope, low=max(place, scope.low or place))


def _page(found: list[Row], size: int, cursor: Cursor | None, edge: Place | None) -> Page:
    upwards = cursor is not None and not cursor.older
    more, rows = len(found) > size, found[:size]
    edge = None if more else edge
    if upwards:
        rows.reverse()
    newer = (more or edge is not None) if upwards else (cursor is not None and bool(rows))
    older = (bool(rows) and cursor != OLDEST) if upwards else (more or edge is not None)
    first, last = _ends(rows, edge, upwards=upwards)
    return Page(
        rows,
        newer=Cursor.beside(*first, older=False).encode() if newer and first else None,
        older=Cursor.beside(*last, older=True).encode() if older and last else None,
        looked_until=edge[0] if edge else None,
    )


def _ends(rows: list[Row], edge: Place | None, *, upwards: bool) -> tuple[Place | None, Place | None]:
    """The places that the pages on both sides begin behind."""
    first = (rows[0].created_at, rows[0].id) if rows else None
    last = (rows[-1].created_at, rows[-1].id) if rows else None
    if edge is None:
        return first, last
    return (edge, last) if upwards else (first, edge)
