"""What the audit trail says of each lot, against the lot and its entries: facts that changed without a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.audit import queries as audit
from webapp.audit.trail import Action, AuditRecord
from webapp.quota.entry_table import KINDS
from webapp.quota.models import BEFORE, EntryKind, LedgerEntry, Lot

FACTS: dict[str, LazyString] = {
    "bought_on": _l("day of purchase"),
    "expires_on": _l("last valid day"),
    "price_fen": _l("price in CNY 0.01"),
    "order_number": _l("order number"),
    "note": _l("note"),
    "refunded_fen": _l("refunds in CNY 0.01"),
    "closed_at": _l("time of closing"),
}
RECORDED = (EntryKind.PURCHASE, *BEFORE, EntryKind.CORRECTION, EntryKind.REFUND)
"""Kinds whose every entry has its record; those of calls that ended unused come by themselves too."""
UNREASONED = (EntryKind.PURCHASE, EntryKind.USED_BEFORE)

Entry = tuple[int, str, int, datetime, int | None]
"""Lot, kind, change, time, actor."""


@dataclass(slots=True)
class Told:
    """What the records of one lot come to; `whole`: from its recording on."""

    whole: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    was_closed: bool = False
    entries: dict[Entry, str | None] = field(default_factory=dict)
    """Entries that must stand, each with its reason where the record has it."""


class Trail(NamedTuple):
    """The records of all lots; `is_whole`: none was ever dropped."""

    lots: Mapping[int, Told]
    is_whole: bool


def read() -> Trail:
    """As the trail stands, from the day on that the instance went live, if it did."""
    found: dict[int, Told] = {}
    for record in audit.acts_on("lot", since=Action.WENT_LIVE):
        if record.object_id is not None:
            told(found.setdefault(record.object_id, Told()), record)
    return Trail(found, audit.is_whole())


def told(lot: Told, record: AuditRecord) -> None:
    """Adds one record to what is known of its lot; the older come first."""
    detail, facts = record.detail, lot.facts
    match record.action:
        case Action.LOT_RECORDED:
            lot.whole = True
            facts.update(refunded_fen=0, closed_at=None, **{name: detail[name] for name in FACTS if name in detail})
            _must_stand(lot, record, EntryKind.PURCHASE, detail.get("calls") or 0)
            _must_stand(lot, record, EntryKind.USED_BEFORE, -(detail.get("used_before") or 0))
            _must_stand(lot, record, EntryKind.COVERED_LATE, -(detail.get("covered_late") or 0))
        case Action.LOT_CHANGED:
            facts.update({name: detail[f"{name}_after"] for name in FACTS if f"{name}_after" in detail})
        case Action.LOT_CORRECTED:
            elsewhere = detail.get("entry") == EntryKind.USED_ELSEWHERE
            kind = EntryKind.USED_ELSEWHERE if elsewhere else EntryKind.CORRECTION
            _must_stand(lot, record, kind, detail["change"])
        case Action.LOT_COVERED:
            _must_stand(lot, record, EntryKind.REINSTATEMENT, detail["reinstated"])
            _must_stand(lot, record, EntryKind.COVERED_LATE, -detail["calls"])
        case Action.LOT_CLOSED:
            facts["closed_at"], lot.was_closed = record.at, True
            _must_stand(lot, record, EntryKind.WRITE_OFF, -detail["written_off"])
        case Action.LOT_REOPENED:
            facts["closed_at"] = None
            _must_stand(lot, record, EntryKind.REINSTATEMENT, detail["reinstated"])
        case Action.LOT_REFUNDED:
            facts["closed_at"], lot.was_closed = record.at, True
            for name, fen in (("refunded_fen", detail["fen"]), ("price_fen", -detail["fen"])):
                if facts.get(name) is not None:
                    facts[name] += fen
            _must_stand(lot, record, EntryKind.REFUND, -detail["calls"])


def _must_stand(lot: Told, record: AuditRecord, kind: EntryKind, change: int) -> None:
    if change and record.object_id is not None:
        reason = None if kind in UNREASONED else record.detail.get("reason")
        lot.entries[record.object_id, kind, change, record.at, record.actor_id] = reason


def contradictions(lot: Lot, known: Told) -> Iterator[str]:
    """Facts of a lot that are not those its records tell."""
    for name, value in known.facts.items():
        stored = getattr(lot, name)
        if (stored.isoformat() if isinstance(stored, date) and isinstance(value, str) else stored) != value:
            yield _("lot %(lot)s, %(fact)s: stored %(stored)s, by the audit trail %(told)s", lot=lot.id,
                    fact=FACTS[name], stored=_shown(stored), told=_shown(value))  # fmt: skip


def _shown(value: object) -> str:
    return "–" if value is None or value == "" else str(value)


def unlike_entries(lots: Mapping[int, Told], stored: Sequence[LedgerEntry]) -> Iterator[str]:
    """Entries of people that have no record, and records whose entry is gone or was changed."""
    left = Counter({key: 1 for known in lots.values() for key in known.entries})
    for entry in stored:
        known = lots.get(entry.lot_id or 0)
        if known is None:
            continue
        key = (entry.lot_id or 0, str(entry.kind), entry.change, entry.at, entry.actor_id)
        expected = left[key] > 0
        left[key] -= 1
        reason = known.entries.get(key)
        lacks_record = known.whole and entry.kind in RECORDED and not expected
        if lacks_record or (expected and reason is not None and reason != entry.reason):
            yield _("ledger entry %(id)s (%(kind)s, lot %(lot)s) is not as the audit trail recorded it",
                    id=entry.id, kind=KINDS[entry.kind], lot=entry.lot_id)  # fmt: skip
        elif known.whole and entry.kind == EntryKind.WRITE_OFF and not known.was_closed:
            yield _("ledger entry %(id)s writes calls of lot %(lot)s off, which nobody ever closed",
                    id=entry.id, lot=entry.lot_id)  # fmt: skip
    for (lot_id, kind, change, at, _actor), missing in left.items():
        if missing > 0:
            yield _("lot %(lot)s: the ledger lacks what the audit trail recorded at %(at)s: %(kind)s, %(change)s calls",
                    lot=lot_id, at=f"{at:%Y-%m-%d %H:%M} UTC", kind=KINDS[kind], change=change)  # fmt: skip
