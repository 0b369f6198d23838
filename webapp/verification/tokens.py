"""One-time forms: a form that was sent is spent, and a second copy of it spends nothing.

A token is made with the form: a number used once, signed for its user. Sending the form binds the number to what
stood in it (a keyed digest over user, number and content), in the transaction of the intent: the same form again (a
double click, a reload, the back button) leads to what came of the first; the same token over other content is
refused. A form without a token is taken too, for scripts: then only the rules about twins and recent results protect.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from flask import current_app
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from sqlalchemy import delete, or_, select, update

from webapp.foundation.database import insert_once, must_write, transaction
from webapp.foundation.sealing import Sealer
from webapp.verification.asked import SentForm
from webapp.verification.models import Reuse, SpentForm

LASTING = timedelta(hours=24)
"""A desk form stays open all day."""
REMEMBERED = timedelta(hours=48)
"""How long spent forms are kept: longer than any token lasts."""


class TokenRefused(Exception):
    """The form was not made for this user, or not by us: nothing was sent, and sending it again changes nothing."""


class TokenExpired(Exception):
    """The form was made too long ago: nothing was sent; a fresh one may be."""


class FormSpent(Exception):
    """This form was sent before, with something else in it: nothing was sent now; a fresh one may be."""


class Replayed(Exception):
    """This very form was sent before: nothing was sent now. What came of it: one of the two ids."""

    def __init__(self, verification_id: int | None, reuse_id: int | None) -> None:
        super().__init__("this form was sent before")
        self.verification_id = verification_id
        self.reuse_id = reuse_id


def issue(user_id: int) -> str:
    """A token for one form of this user."""
    return str(_serializer().dumps([user_id, secrets.token_urlsafe(16)]))


def read(token: str, user_id: int, content: tuple[str, ...], sealer: Sealer) -> SentForm:
    """The form that `token` came with. Raises `TokenRefused`, `TokenExpired`."""
    try:
        made_for, nonce = _serializer().loads(token, max_age=int(LASTING.total_seconds()))
    except SignatureExpired as error:
        raise TokenExpired from error
    except (BadSignature, ValueError, TypeError) as error:
        raise TokenRefused from error
    if made_for != user_id:
        raise TokenRefused
    whole = "\0".join((str(user_id), nonce, *content))
    return SentForm(nonce, sealer.index("form", whole), tuple(sealer.indexes("form", whole, fleeting=True)))


def spend(form: SentForm, now: datetime) -> None:
    """Marks the form as sent, in the transaction of its intent. Raises `Replayed`, `FormSpent`."""
    if insert_once(SpentForm, nonce=form.nonce, content=form.content, at=now):
        return
    first = must_write().scalars(select(SpentForm).where(SpentForm.nonce == form.nonce)).one()
    if first.content not in (form.content, *form.alike):
        raise FormSpent
    raise Replayed(first.verification_id, first.reuse_id)


def came_to(form: SentForm, *, verification_id: int | None = None, reuse_id: int | None = None) -> None:
    """Remembers, in the same transaction, what came of a spent form."""
    mine = update(SpentForm).where(SpentForm.nonce == form.nonce)
    must_write().execute(
        mine.values(verification_id=verification_id, reuse_id=reuse_id),
        execution_options={"synchronize_session": False},
    )


def forget_content(verification_ids: Collection[int]) -> None:
    """Destroys, in the caller's transaction, what tells of these verifications, and of their reuses, what stood in
    their forms. The forms stay spent: one that is sent again spends nothing."""
    reuses = select(Reuse.id).where(Reuse.verification_id.in_(verification_ids))
    mine = or_(SpentForm.verification_id.in_(verification_ids), SpentForm.reuse_id.in_(reuses))
    must_write().execute(
        update(SpentForm).where(mine).values(content=b""), execution_options={"synchronize_session": False}
    )


def forget_spent(now: datetime) -> bool:
    """Forgets forms whose tokens are long over; always False: there is no next one."""
    with transaction() as session:
        session.execute(delete(SpentForm).where(SpentForm.at < now - REMEMBERED))
    return False


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="yuliang desk form")
