"""What an instance is for: practice (sandbox) or live. The database remembers, so that the two never mix."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select

from webapp.audit import belonging
from webapp.audit.trail import SYSTEM, Action, append
from webapp.configuration import made_up
from webapp.foundation import key_ring, leases, runtime
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import KIND, Instance, vendor_kind
from webapp.foundation.key_ring import Ring
from webapp.foundation.sealing import CannotOpen
from webapp.history.export_models import Export, ExportPiece
from webapp.history.reveal_models import Reveal
from webapp.history.saved_models import SavedView
from webapp.history.search_models import StoredSearch
from webapp.notify.messages import Attempt, Message
from webapp.notify.notices import Notice, NoticeDismissal
from webapp.quota import append_only
from webapp.quota.models import LedgerClosing, LedgerEntry, Lot
from webapp.receipts.models import Receipt, ReceiptFailure, ReceiptSalt
from webapp.reconciliation.models import MeterBaseline, MeterFailure, MeterReading, MeterTurn
from webapp.reminders.models import Episode, ToldLot
from webapp.retention.models import LegalHold, PurgeRun
from webapp.settings import SANDBOX
from webapp.usage.models import LatencyHour, UsageClosing, UsageDay, UsageDelta, UsageHour, UsageMonth
from webapp.vendor import circuit
from webapp.verification.models import (
    Identity,
    IdentityIndex,
    Reuse,
    ReuseReference,
    Settlement,
    ShiftDeclaration,
    SpentForm,
    Verification,
)

PRACTICE = (
    LegalHold, PurgeRun, LedgerClosing, UsageClosing,
    MeterBaseline, MeterFailure, MeterReading, MeterTurn,
    Attempt, Message, ToldLot, Episode, ExportPiece, Export, Reveal, SavedView, StoredSearch, ReceiptFailure,
    ReceiptSalt, Receipt, SpentForm,
    ReuseReference, Reuse,
    Settlement, IdentityIndex, Identity, LedgerEntry, Verification, ShiftDeclaration, Lot, UsageDelta, UsageDay,
    UsageHour, LatencyHour, UsageMonth, NoticeDismissal, Notice,
)  # fmt: skip
"""What going live clears, in this order."""


class WrongKind(Exception):
    """The database is of the other kind, or was sealed under other keys; the message says what to do."""


def agree(instance: Instance, now: datetime) -> str:
    """Sees that settings, keys and database belong together; a new database takes the kind of the settings.

    Returns the kind in force. A vendor on this machine (a stand-in, a relay to the real one) serves either. Raises
    `WrongKind`.
    """
    keys_agree(instance)
    known = runtime.stored(KIND, instance.sealer)
    named = vendor_kind(instance.settings)
    if known == "sandbox" and named == "live":
        raise WrongKind(
            "this database holds practice data, and YULIANG_VENDOR_URL names the real vendor: run `yuliang go-live` "
            "(it clears the practice data), or use another database"
        )
    if known == "live" and instance.settings.vendor_url == SANDBOX:
        raise WrongKind(
            "this database is live, and the sandbox would mix made-up people into it: set YULIANG_VENDOR_URL to the "
            "vendor's address, or practise in another instance folder"
        )
    if known is None:
        with transaction():
            runtime.store(KIND, named, instance.sealer, now)
    _agree_on_keys(instance, now)
    return known or named


def keys_agree(instance: Instance) -> None:
    """Sees that the keys are those of the database, in any schema that has settings, and writes nothing. Raises
    `WrongKind`."""
    try:
        ring = key_ring.read(instance.sealer)
    except CannotOpen as error:
        raise WrongKind(
            "YULIANG_DATA_KEYS (or keys/data_keys in the instance folder) is not the key this database was sealed "
            f"with: put the backed-up key in place ({error})"
        ) from error
    missing = *(ring.missing(instance.sealer) if ring is not None else ([], [])), _audit_missing(ring, instance)
    if any(missing):
        raise WrongKind(f"keys of this database are {key_ring.told_missing(*missing)}")
    if (ring is None or not ring.audit) and not belonging.is_ours(instance.keys):
        raise WrongKind(
            "YULIANG_AUDIT_KEY (or keys/audit_key in the instance folder) is not the key this database's audit trail "
            "was sealed with: put the backed-up key in place"
        )


def _audit_missing(ring: Ring | None, instance: Instance) -> list[str]:
    """The audit keys that are not here and still needed: one that nothing in the trail is under any more is not."""
    lacking = ring.lacking(instance.keys) if ring is not None else []
    return [name for name in lacking if ring is None or name == ring.stamping or belonging.names(name)]


def _with_audit(ring: Ring, instance: Instance) -> Ring:
    """The ring with the audit keys of the trail. One that stands first and was never used is in use from now on; one
    that is held no longer, and needed no longer, is retired: it never stamps again."""
    held, first = key_ring.audit_fingerprints(instance.keys), instance.keys.audit[0].id
    gone = {name: mark for name, mark in ring.audit.items() if held.get(name) != mark}
    live = {name: mark for name, mark in ring.audit.items() if name not in gone}
    if not live:
        live = {name: mark for name, mark in held.items() if name == first or belonging.names(name)}
        ring = replace(ring, stamping=first)
    elif first not in live and held[first] not in ring.retired.values():
        live, ring = live | {first: held[first]}, replace(ring, stamping=first)
    retired = ring.retired | {f"audit {name}": mark for name, mark in gone.items()}
    return replace(ring, audit=live, retired=retired)


def _agree_on_keys(instance: Instance, now: datetime) -> None:
    """Follows the ring of the database. A key that stands first and was never used before is in use from now on."""
    sealer = instance.sealer
    with transaction():
        ring = known = key_ring.read(sealer)
        if ring is None:
            ring = key_ring.new(sealer)
        data, index = ring.spare(sealer)
        first, first_index = instance.keys.data[0].id, instance.keys.index[0].id
        if first in data:
            ring = replace(ring.with_keys(sealer, [first], []), sealing=first)
        if first_index in index:
            ring = replace(ring.with_keys(sealer, [], [first_index]), indexing=first_index)
        ring = _with_audit(ring, instance)
        if ring != known or not key_ring.is_written(sealer):
            key_ring.write(ring, sealer, now)
        leases.has_all_keys(socket.gethostname())
    key_ring.follow(ring, sealer, instance)
    key_ring.follow_audit(ring)


def go_live(instance: Instance, now: datetime) -> list[str]:
    """Clears the practice data: verifications, lots, ledger, counters, episodes, messages, notices. Returns the
    addresses of the made-up users that were switched off.

    Raises `WrongKind`.
    """
    if instance.settings.vendor_url == SANDBOX:
        raise WrongKind("set YULIANG_VENDOR_URL to the vendor's address first; the sandbox is still set")
    if runtime.stored(KIND, instance.sealer) == "live":
        raise WrongKind("this instance is live already: nothing was cleared")
    with transaction() as session:
        count = len(session.scalars(select(Verification.id)).all())
        circuit.reset()
        with append_only.leave():
            for model in PRACTICE:
                session.execute(delete(model))
        runtime.store(KIND, "live", instance.sealer, now)
        append(SYSTEM, Action.WENT_LIVE, now, verifications=count)
        switched_off = made_up.switch_off(now)
    db.session.rollback()
    return switched_off
