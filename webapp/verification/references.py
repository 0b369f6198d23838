"""The reference of a recent result that was shown again: the question was another case's, the call was not."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from webapp.foundation.database import db, insert_rows
from webapp.foundation.sealing import Sealer
from webapp.verification import identities
from webapp.verification.models import IndexKind, Reuse, ReuseReference


def keep(reuse: Reuse, reference: str, sealer: Sealer) -> None:
    """Stores it sealed and findable, in the caller's transaction; nothing where none was given, or where the person was
    erased since the result was found."""
    if reference and identities.lock([reuse.verification_id]):
        sealed = sealer.seal(reference.encode(), _place(reuse.id))
        blind = sealer.index(IndexKind.REFERENCE, reference)
        row = {"reuse_id": reuse.id, "verification_id": reuse.verification_id, "sealed": sealed, "blind": blind,
               "index_key": sealer.indexing}  # fmt: skip
        insert_rows(ReuseReference, row)


def read(reuse_id: int, sealer: Sealer) -> str:
    """The reference; empty where none was given, or the person was erased. Raises `CannotOpen` under other keys."""
    row = db.session.get(ReuseReference, reuse_id, populate_existing=True)
    return "" if row is None else sealer.open(row.sealed, _place(reuse_id)).decode()


def of_verifications(verification_ids: Sequence[int], sealer: Sealer) -> dict[int, str]:
    """The references that results of these verifications were shown again for, by reuse. Raises `CannotOpen`."""
    rows = db.session.execute(
        select(ReuseReference.reuse_id, ReuseReference.sealed).where(
            ReuseReference.verification_id.in_(verification_ids)
        )
    )
    return {reuse_id: sealer.open(sealed, _place(reuse_id)).decode() for reuse_id, sealed in rows}


def _place(reuse_id: int) -> str:
    return f"reuse_reference:{reuse_id}"
