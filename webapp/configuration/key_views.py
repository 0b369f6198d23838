"""The page of the keys: which there are, what they are for, and how far a rotation is. Never their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import Blueprint, render_template
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from webapp.configuration import rotation
from webapp.configuration.key_models import KeyRotation, KeyRotationPart
from webapp.foundation import key_ring
from webapp.foundation.database import db
from webapp.foundation.instance import Instance, this_instance
from webapp.foundation.sealing import ALGORITHMS, INDEX_ALGORITHM, sealing_algorithm
from webapp.verification.reindexing import calls_begun_before

bp = Blueprint("keyring", __name__)

USES: dict[str, LazyString] = {
    "sealing": _l("seals and opens"),
    "opening": _l("opens what it has sealed"),
    "indexing": _l("indexes and searches"),
    "searching": _l("searches what it has indexed"),
    "auditing": _l("seals the audit trail"),
    "verifying": _l("verifies older segments of the audit trail"),
    "spare": _l("not in use yet"),
    "retired": _l("needed no more, but for backups of before"),
}
_USES = {"data": ("sealing", "opening"), "index": ("indexing", "searching"), "audit": ("auditing", "verifying")}
"""By kind of key: of the one that is in use, and of others that were."""

TABLES: dict[str, LazyString] = {
    "setting": _l("Settings"),
    "identity": _l("People, with all that finds them"),
    "reuse_reference": _l("References of recent results shown again"),
    "receipt_salt": _l("Codes of receipts"),
    "export": _l("Exports asked for"),
    "export_piece": _l("Files of exports"),
    "saved_view": _l("Saved views"),
    "stored_search": _l("Searches of the last hours"),
    "legal_hold": _l("Legal holds"),
}
"""What is renewed, in words; another table by its name."""


class Row(NamedTuple):
    """One key as the page shows it."""

    kind: str
    id: str
    algorithm: str
    use: str


@bp.get("/settings/keys")
def index() -> str:
    """Ids, algorithms, uses; rows of each table under the new keys."""
    instance = this_instance()
    newest = db.session.scalar(select(KeyRotation).order_by(KeyRotation.id.desc()).limit(1))
    tables = rotation.progress(newest.id) if newest is not None else []
    return render_template(
        "configuration/keys.html", keys=_rows(instance), uses=USES, rotation=newest, tables=tables, names=TABLES,
        broken=any(table.broken for table in tables), calls=_waits_for(newest, tables),
    )  # fmt: skip


def _waits_for(going: KeyRotation | None, tables: Sequence[KeyRotationPart]) -> int:
    """Calls that must be over before the old keys are retired, once that is all there is left to do."""
    if going is None or going.promoted_at is None or going.finished_at or any(not one.finished_at for one in tables):
        return 0
    return calls_begun_before(going.promoted_at)


def _rows(instance: Instance) -> list[Row]:
    sealer, ring = instance.sealer, key_ring.read(instance.sealer) or key_ring.new(instance.sealer)
    sealing = ALGORITHMS[sealing_algorithm()].name
    data = [Row("data", name, sealing, _use(name, ring.sealing, ring.data, ring.retired, "data"))
            for name in sealer.data_fingerprints()]  # fmt: skip
    index = [Row("index", name, INDEX_ALGORITHM, _use(name, ring.indexing, ring.index, ring.retired, "index"))
             for name in sealer.index_fingerprints()]  # fmt: skip
    stamping = ring.stamping or instance.keys.audit[0].id
    audit = [Row("audit", key.id, "HMAC-SHA-256", _use(key.id, stamping, ring.audit, ring.retired, "audit"))
             for key in instance.keys.audit]  # fmt: skip
    return data + index + audit


def _use(name: str, first: str, live: dict[str, str], retired: dict[str, str], kind: str) -> str:
    if name == first or name in live:
        return _USES[kind][name != first]
    return "retired" if f"{kind} {name}" in retired else "spare"
