"""Closing balances: what stands for the entries of calls that were let go is what stands for the calls themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from webapp.foundation.database import db
from webapp.quota import closing
from webapp.quota.models import LedgerClosing
from webapp.quota.uncovered import NO_LOT
from webapp.usage.models import UsageClosing
from webapp.vendor.contract import Billed

FIGURES: dict[str, LazyString] = {
    "holds": _l("holds"), "charges": _l("charges"), "releases": _l("releases"), "change": _l("change"),
}  # fmt: skip


def differences() -> Iterator[str]:
    """Figures of a closing balance that are not those of its calls: each was held once, and charged or released."""
    calls = _calls()
    found = {row.lot_id: row for row in db.session.scalars(select(LedgerClosing))}
    for lot_id in sorted(found.keys() | {lot for lot, _billed in calls}):
        charges, releases = calls[lot_id, Billed.YES], calls[lot_id, Billed.NO]
        holds = charges + releases
        # What was held and released changed a lot by nothing; what was charged is gone; on no lot nothing changes.
        change = 0 if lot_id == NO_LOT else releases - holds
        expected = dict(zip(closing.FIGURES, (holds, charges, releases, change), strict=True))
        for name, counted in expected.items():
            stored = getattr(found[lot_id], name) if lot_id in found else 0
            if stored != counted:
                yield _("closing balance of lot %(lot)s, %(figure)s: stored %(stored)s, by its calls %(counted)s",
                        lot=lot_id or "–", figure=FIGURES[name], stored=stored, counted=counted)  # fmt: skip


def _calls() -> Counter[tuple[int, str]]:
    """Calls whose facts are gone, by lot and by whether they were charged."""
    by = UsageClosing.lot_id, UsageClosing.billed
    counted = db.session.execute(select(*by, func.sum(UsageClosing.calls)).group_by(*by))
    return Counter({(lot_id, billed): int(calls) for lot_id, billed, calls in counted})
