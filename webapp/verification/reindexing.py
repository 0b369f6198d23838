"""Sealing identities and references anew, and making their blind indexes anew with them: both or none.

Each row says under which index key its indexes are, so that at every instant all of a verification's indexes are under
one key, and none is ever missing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from webapp.foundation.database import db, insert_rows, must_write
from webapp.foundation.resealing import Batch, Place, is_old, lock_free, reopen
from webapp.foundation.sealing import Sealer
from webapp.vendor.contract import Outcome
from webapp.verification.identities import blinds_of
from webapp.verification.models import Identity, IdentityIndex, IndexKind, ReuseReference, Verification

MOST = 200
"""Identities of a batch, with some eight indexes each."""


def calls_begun_before(at: datetime) -> int:
    """How many calls are still under way that were begun until then: none for long, for forgotten ones are given up."""
    begun = Verification.outcome == Outcome.SENDING, Verification.created_at <= at
    return db.session.scalar(select(func.count()).where(*begun)) or 0


class Identities:
    """The sealed people and all that finds them."""

    name = "identity"

    def fetch(self, after: Place | None, sealer: Sealer) -> Batch | None:
        """See `resealing.Part`."""
        key = sealer.indexing
        other = or_(Identity.index_key.is_(None), Identity.index_key != key)
        query = select(Identity.verification_id, Identity.sealed).where(
            or_(is_old(Identity.__table__.c.sealed, sealer), other)
        )
        if after is not None:
            query = query.where(Identity.verification_id > after[0])
        found = db.session.execute(query.order_by(Identity.verification_id).limit(MOST)).all()
        if not found:
            return None
        batch = Batch([found[-1].verification_id])
        for number, sealed in found:
            place = f"identity:{number}"
            content = reopen(sealed, place, sealer, batch)
            if content is not None:
                blinds = blinds_of(number, sealed, sealer)
                renewed = sealer.seal(content, place)
                batch.rows.append({"row": number, "before": sealed, "after": renewed, "key": key, "blinds": blinds})
        return batch

    def store(self, batch: Batch, sealer: Sealer) -> int:
        """See `resealing.Part`."""
        session, read = must_write(), {one["row"]: one for one in batch.rows}
        # Locked, and compared again: an answer that came in meanwhile, or an erasure, is not undone. Those that others
        # hold are left to the next pass.
        mine = select(Identity.verification_id, Identity.sealed).where(Identity.verification_id.in_(read))
        free = mine.order_by(Identity.verification_id).with_for_update(skip_locked=True)
        now = session.execute(free).all()
        same = [read[number] for number, sealed in now if sealed == read[number]["before"]]
        if not same:
            return 0
        numbers = [one["row"] for one in same]
        session.execute(delete(IdentityIndex).where(IdentityIndex.verification_id.in_(numbers)),
                        execution_options={"synchronize_session": False})  # fmt: skip
        rows = [{"blind": blind, "verification_id": one["row"], "kind": kind}
                for one in same for kind, blind in one["blinds"]]  # fmt: skip
        insert_rows(IdentityIndex, *sorted(rows, key=lambda one: one["blind"]))
        table: Any = Identity.__table__
        renew = update(table).where(table.c.verification_id == bindparam("row"))
        statement = renew.values(sealed=bindparam("after"), index_key=bindparam("key"))
        session.connection().execute(statement, [{name: one[name] for name in ("row", "after", "key")} for one in same])
        return len(same)

    def count(self) -> int:
        """See `resealing.Part`."""
        return db.session.scalar(select(func.count()).select_from(Identity)) or 0


class References:
    """The sealed references of recent results that were shown again, and what finds them."""

    name = "reuse_reference"

    def fetch(self, after: Place | None, sealer: Sealer) -> Batch | None:
        """See `resealing.Part`."""
        key = sealer.indexing
        other = or_(ReuseReference.index_key.is_(None), ReuseReference.index_key != key)
        query = select(ReuseReference.reuse_id, ReuseReference.sealed)
        query = query.where(or_(is_old(ReuseReference.__table__.c.sealed, sealer), other))
        if after is not None:
            query = query.where(ReuseReference.reuse_id > after[0])
        found = db.session.execute(query.order_by(ReuseReference.reuse_id).limit(MOST)).all()
        if not found:
            return None
        batch = Batch([found[-1].reuse_id])
        for number, sealed in found:
            place = f"reuse_reference:{number}"
            content = reopen(sealed, place, sealer, batch)
            if content is not None:
                blind = sealer.index(IndexKind.REFERENCE, content.decode())
                renewed = sealer.seal(content, place)
                batch.rows.append({"row": number, "before": sealed, "after": renewed, "key": key, "found_by": blind})
        return batch

    def store(self, batch: Batch, sealer: Sealer) -> int:
        """See `resealing.Part`."""
        table: Any = ReuseReference.__table__
        renew = update(table).where(table.c.reuse_id == bindparam("row"), table.c.sealed == bindparam("before"))
        statement = renew.values(
            sealed=bindparam("after"), blind=bindparam("found_by"), index_key=bindparam("key")
        )  # fmt: skip
        free = lock_free([table.c.reuse_id], [(row["row"],) for row in batch.rows])
        rows = [row for row in batch.rows if (row["row"],) in free]
        return must_write().connection().execute(statement, rows).rowcount if rows else 0

    def count(self) -> int:
        """See `resealing.Part`."""
        return db.session.scalar(select(func.count()).select_from(ReuseReference)) or 0
