"""Blind indexes of provinces and cities for identities that were stored without: batch by batch, in the background.

The database remembers up to which verification all is indexed; whoever is killed in between has done nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from webapp.foundation import runtime
from webapp.foundation.database import db, insert_rows, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import Sealer
from webapp.verification.identities import opened, places
from webapp.verification.models import Identity, IdentityIndex, IndexKind

INDEXED_TO = "places_indexed_to"
"""Name under which the database remembers the last verification."""
BATCH = 500
PLACES = (IndexKind.PROVINCE, IndexKind.CITY)


def index_some(instance: Instance, now: datetime) -> bool:
    """Looks at the next batch of identities; False: nothing is left to do."""
    done = int(runtime.stored(INDEXED_TO, instance.sealer) or 0)
    query = select(Identity.verification_id).where(Identity.verification_id > done)
    batch = db.session.scalars(query.order_by(Identity.verification_id).limit(BATCH)).all()
    if not batch:
        return False
    with transaction() as session:
        # Locked first: an answer that comes in meanwhile is stored either before, with its places, or after.
        mine = select(Identity).where(Identity.verification_id.in_(batch))
        locked = mine.order_by(Identity.verification_id).with_for_update().execution_options(populate_existing=True)
        rows = session.scalars(locked).all()
        within = IdentityIndex.verification_id.in_(batch), IdentityIndex.kind.in_(PLACES)
        known = set(session.scalars(select(IdentityIndex.verification_id).where(*within)))
        # What is under an older index key gets its places when that is rotated, with all its indexes.
        known |= {row.verification_id for row in rows if row.index_key not in (None, instance.sealer.indexing)}
        found = [one for row in rows if row.verification_id not in known
                 for one in _rows_of(row.verification_id, row.sealed, instance.sealer)]  # fmt: skip
        if found:
            insert_rows(IdentityIndex, *found)
        runtime.store(INDEXED_TO, str(batch[-1]), instance.sealer, now)
    return len(batch) == BATCH


def _rows_of(verification_id: int, sealed: bytes, sealer: Sealer) -> list[dict[str, object]]:
    return [
        {"blind": sealer.index(kind, value), "verification_id": verification_id, "kind": kind}
        for kind, value in places(opened(verification_id, sealed, sealer))
    ]
