"""Saved views: made, listed, changed and deleted; name, filters and search are sealed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import joinedload

from webapp.accounts.models import Role, User
from webapp.audit.trail import SYSTEM, Action, Who, append
from webapp.foundation.database import db, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import CannotOpen, Sealer
from webapp.history.saved_models import SavedView

MOST = 50
"""Views of one owner."""


class TooMany(Exception):
    """The owner has as many views as one may: one must be deleted first."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a view opens: filters as they stand in an address, and the text of a search."""

    name: str
    filters: Mapping[str, str]
    search: str | None = field(default=None, repr=False)


class Opened(NamedTuple):
    """A view and what is in it; None where it cannot be read: it can only be deleted."""

    view: SavedView
    content: Content | None


def save(content: Content, shared_with: Role | None, who: Who, instance: Instance, now: datetime) -> int:
    """Keeps a view; returns its number. Raises `TooMany`."""
    with transaction() as session:
        # Two requests of one owner come one after the other, so that the limit holds.
        session.execute(select(User.id).where(User.id == who.user_id).with_for_update())
        mine = select(func.count()).where(SavedView.owner_id == who.user_id)
        if (session.scalar(mine) or 0) >= MOST:
            raise TooMany
        view = SavedView(owner_id=who.user_id, shared_with=shared_with, sealed=b"", used_at=now)
        session.add(view)
        session.flush()
        view.sealed = _seal(view.id, content, instance.sealer)
        append(who, Action.VIEW_SAVED, now, on=("view", view.id), shared_with=shared_with)
        return view.id


def listed(reader: User, instance: Instance) -> Sequence[Opened]:
    """One's own views, then those shared with one's role, by name."""
    query = select(SavedView).where(_may_open(reader)).options(joinedload(SavedView.owner)).order_by(SavedView.id)
    found = [Opened(view, _readable(view, instance)) for view in db.session.scalars(query)]
    return sorted(found, key=lambda one: (one.view.owner_id != reader.id, one.content.name if one.content else ""))


def visible(view_id: int, reader: User) -> SavedView | None:
    """The view where this reader may open it."""
    return db.session.scalar(select(SavedView).where(SavedView.id == view_id, _may_open(reader)))


def may_change(view: SavedView, reader: User) -> bool:
    """Whether this reader may rename, share or delete it: the owner, and admins what is shared with them."""
    return view.owner_id == reader.id or reader.role == Role.ADMIN


def content_of(view: SavedView, instance: Instance) -> Content:
    """What is in a view. Raises `CannotOpen` under other keys."""
    return Content(**instance.sealer.open_json(view.sealed, _place(view.id)))


def _readable(view: SavedView, instance: Instance) -> Content | None:
    try:
        return content_of(view, instance)
    except CannotOpen:
        return None


def change(
    view: SavedView, name: str, shared_with: Role | None, who: Who, instance: Instance, now: datetime
) -> None:  # fmt: skip
    """Renames a view, and shares it with a role or with nobody; nothing where it was deleted meanwhile."""
    view_id = view.id
    with transaction() as session:
        # Read here and not before: what changed meanwhile is not undone, and keys that were rotated since are not
        # brought back.
        still = session.scalar(select(SavedView).where(SavedView.id == view_id).with_for_update())
        if still is None:
            return
        sealed = _seal(view_id, replace(content_of(still, instance), name=name), instance.sealer)
        changed = (
            update(SavedView).where(SavedView.id == view_id).values(sealed=sealed, shared_with=shared_with, used_at=now)
        )
        if session.execute(changed).rowcount:  # type: ignore[attr-defined]
            append(who, Action.VIEW_CHANGED, now, on=("view", view_id), shared_with=shared_with)


def remove(view: SavedView, who: Who, now: datetime) -> None:
    """Deletes a view; nothing where another was quicker."""
    view_id = view.id
    with transaction() as session:
        if session.execute(delete(SavedView).where(SavedView.id == view_id)).rowcount:  # type: ignore[attr-defined]
            append(who, Action.VIEW_DELETED, now, on=("view", view_id))


def forget_left(now: datetime) -> bool:
    """Deletes the views of users who were switched off; False: nothing is left to do."""
    with transaction() as session:
        left = select(SavedView.id).join(User, User.id == SavedView.owner_id).where(~User.active)
        for number in session.scalars(left.order_by(SavedView.id)).all():
            session.execute(delete(SavedView).where(SavedView.id == number))
            append(SYSTEM, Action.VIEW_DELETED, now, on=("view", number))
    return False


def use(view: SavedView, instance: Instance, now: datetime) -> Content:
    """What is in a view that is opened: from now on it is kept for the whole period again. Raises `CannotOpen`."""
    content, view_id = content_of(view, instance), view.id
    with transaction() as session:
        session.execute(update(SavedView).where(SavedView.id == view_id).values(used_at=now))
    return content


def forget_unused(before: datetime, above: int, most: int, now: datetime) -> list[int]:
    """Deletes the first views above this number that nobody has used since, in the caller's transaction."""
    session = must_write()
    unused = select(SavedView.id).where(SavedView.id > above, SavedView.used_at < before).order_by(SavedView.id)
    gone = list(session.scalars(unused.limit(most).with_for_update()))
    session.execute(delete(SavedView).where(SavedView.id.in_(gone)), execution_options={"synchronize_session": False})
    for number in gone:
        append(SYSTEM, Action.VIEW_DELETED, now, on=("view", number))
    return gone


def about(means: Callable[[str], bool], instance: Instance) -> list[int]:
    """The numbers of every view whose name or search means a person, or cannot be read: nobody knows whom that means,
    and nobody can open it."""
    return [view.id for view in db.session.scalars(select(SavedView)).all() if _is_about(view, means, instance)]


def _is_about(view: SavedView, means: Callable[[str], bool], instance: Instance) -> bool:
    try:
        content = content_of(view, instance)
    except CannotOpen:
        return True
    return means(content.name) or means(content.search or "")


def forget_about(means: Callable[[str], bool], who: Who, instance: Instance, now: datetime) -> int:
    """Deletes every view whose name or search means an erased person, in the caller's transaction; returns how many."""
    gone = about(means, instance)
    must_write().execute(
        delete(SavedView).where(SavedView.id.in_(gone)), execution_options={"synchronize_session": False}
    )
    for number in gone:
        append(who, Action.VIEW_DELETED, now, on=("view", number))
    return len(gone)


def _may_open(reader: User) -> ColumnElement[bool]:
    return or_(SavedView.owner_id == reader.id, SavedView.shared_with == reader.role)


def _seal(view_id: int, content: Content, sealer: Sealer) -> bytes:
    kept = {"name": content.name, "filters": dict(content.filters), "search": content.search}
    return sealer.seal_json(kept, _place(view_id))


def _place(view_id: int) -> str:
    return f"saved_view:{view_id}"
