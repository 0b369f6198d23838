"""Ledger entries as the tables of /quota and of a lot's page show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from webapp.accounts import queries as accounts
from webapp.accounts.models import Role
from webapp.quota import ledger_queries, queries
from webapp.quota.models import EntryKind, LedgerEntry

KINDS: dict[str, LazyString] = {
    EntryKind.PURCHASE: _l("Purchase"),
    EntryKind.HOLD: _l("Hold"),
    EntryKind.CHARGE: _l("Charge"),
    EntryKind.RELEASE: _l("Release"),
    EntryKind.CORRECTION: _l("Correction"),
    EntryKind.USED_BEFORE: _l("Used before"),
    EntryKind.COVERED_LATE: _l("Covered late"),
    EntryKind.USED_ELSEWHERE: _l("Used elsewhere"),
    EntryKind.LAPSE: _l("Lapse"),
    EntryKind.WRITE_OFF: _l("Write-off"),
    EntryKind.REINSTATEMENT: _l("Reinstatement"),
    EntryKind.REFUND: _l("Refund"),
}


def entry_rows(entries: Sequence[LedgerEntry]) -> list[dict[str, Any]]:
    """Entries, each with what the reader may know of it. Who made a call acts in its entries, unless another person
    decided on it."""
    names = queries.lot_names(entry.lot_id for entry in entries)
    people, callers = {user.id: user.name for user in accounts.users()}, ledger_queries.callers(entries)
    opens = current_user.role != Role.OPERATOR  # operators see only their own verifications
    if not opens:
        callers = {number: operator for number, operator in callers.items() if operator == current_user.id}
    return [
        {"id": entry.id, "at": entry.at, "kind": entry.kind, "kind_label": KINDS[entry.kind], "lot_id": entry.lot_id,
         "lot": names.get(entry.lot_id, ""),
         "change": entry.change, "balance_after": entry.available_after,
         "actor": people.get(entry.actor_id or callers.get(entry.verification_id or 0, 0), ""),
         "verification_id": entry.verification_id, "opens": opens, "reason": entry.reason}
        for entry in entries
    ]  # fmt: skip
