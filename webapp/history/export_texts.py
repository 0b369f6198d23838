"""The words of exports."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.foundation.pages import number
from webapp.history.export_models import Export, ExportState
from webapp.history.export_order import Order
from webapp.history.export_size import Size
from webapp.history.reveal_rules import Reason
from webapp.history.reveal_texts import REASONS

STATES: dict[ExportState, LazyString] = {
    ExportState.ASKED: _l("Waits for an approver"),
    ExportState.PREPARING: _l("Being prepared"),
    ExportState.READY: _l("Ready"),
    ExportState.SENDING: _l("Being sent"),
    ExportState.FETCHED: _l("Fetched"),
    ExportState.DECLINED: _l("Declined"),
    ExportState.EXPIRED: _l("Expired"),
    ExportState.WITHDRAWN: _l("Withdrawn"),
    ExportState.FAILED: _l("Failed"),
}


def size_text(size: Size) -> str:
    """How many verifications, as it stands on a page."""
    return f"≥ {number(size.rows)}" if size.more else number(size.rows)


def watermark(export: Export, order: Order, zone: ZoneInfo) -> str:
    """The line on top of a plaintext file: by it whoever finds a copy knows where it came from."""
    at = export.decided_at.astimezone(zone).isoformat(" ", "seconds")[:19] if export.decided_at else "–"
    return _(
        "Personal data in plaintext · export %(id)s · asked for by %(owner)s · approved by %(approver)s at %(at)s "
        "(%(zone)s) · %(reason)s: %(words)s",
        id=export.id, owner=export.owner.name, approver=export.approver.name if export.approver else "–", at=at,
        zone=zone.key, reason=REASONS[Reason(order.reason)], words=order.words,
    )  # fmt: skip
