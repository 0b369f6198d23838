"""What an instance is for: practice (sandbox) or live. The database remembers, so that the two never mix."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from webapp.audit.trail import SYSTEM, Action, append
from webapp.foundation import runtime
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import KIND, Instance, vendor_kind
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
from webapp.usage.models import LatencyHour, UsageClosing, UsageDay, UsageDelta, UsageHour
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
    UsageHour, LatencyHour, NoticeDismissal, Notice,
)  # fmt: skip
"""What going live clears, in this order."""
KEYS = "index_keys"


class WrongKind(Exception):
    """The database is of the other kind, or was sealed under other keys; the message says what to do."""


def agree(instance: Instance, now: datetime) -> str:
    """Sees that settings, keys and database belong together; a new database takes the kind of the settings.

    Returns the kind in force. A vendor on this machine (a stand-in, a relay to the real one) serves either. Raises
    `WrongKind`.
    """
    try:
        known, keys = runtime.stored(KIND, instance.sealer), runtime.stored(KEYS, instance.sealer)
    except CannotOpen as error:
        raise WrongKind(
            "YULIANG_DATA_KEYS (or keys/data_keys in the instance folder) is not the key this database was sealed "
            "with: put the backed-up key in place"
        ) from error
    if keys is not None and keys != instance.sealer.fingerprint():
        raise WrongKind(
            "YULIANG_INDEX_KEYS (or keys/index_keys in the instance folder) is not the key this database was indexed "
            "with: put the backed-up key in place"
        )
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
    if known is None or keys is None:
        with transaction():
            runtime.store(KIND, named, instance.sealer, now)
            runtime.store(KEYS, instance.sealer.fingerprint(), instance.sealer, now)
    return known or named


def go_live(instance: Instance, now: datetime) -> None:
    """Clears the practice data: verifications, lots, ledger, counters, episodes, messages, notices.

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
    db.session.rollback()
