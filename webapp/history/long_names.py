"""Names that are longer than any beginning that is indexed: found by their first characters, told apart once opened."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select

from webapp.foundation.database import db
from webapp.foundation.sealing import CannotOpen, Sealer
from webapp.persons.names import BEGINNING_TO
from webapp.verification.identities import name_and_number
from webapp.verification.models import Identity, IdentityIndex, IndexKind

LOOKED_AT = 2_000
"""Verifications, the newest, of those whose name has the same first characters: opened for one search."""
MOST = 20
"""Names that one beginning leads to."""


def beginning_with(text: str, sealer: Sealer) -> list[str]:
    """The whole names, the newest first, that begin with `text`, which is longer than a beginning that is indexed."""
    blinds = sealer.indexes(IndexKind.BEGINNING, text[:BEGINNING_TO])
    found: dict[str, None] = {}
    sealed = (
        select(Identity.verification_id, Identity.sealed)
        .join(IdentityIndex, IdentityIndex.verification_id == Identity.verification_id)
        .where(IdentityIndex.blind.in_(blinds))
        .order_by(IdentityIndex.verification_id.desc())
        .limit(LOOKED_AT)
    )
    for number, content in db.session.execute(sealed).all():
        with suppress(CannotOpen):
            found[name_and_number(number, content, sealer)[0]] = None
    return [name for name in found if name.startswith(text)][:MOST]
