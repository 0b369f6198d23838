"""Lots: their figures against the ledger, their facts against the audit trail, and what should have lapsed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from webapp.checking import entries, papers
from webapp.checking.papers import Told
from webapp.foundation.database import db
from webapp.quota import queries as quota
from webapp.quota import uncovered
from webapp.quota.models import Lot

FIGURES: dict[str, LazyString] = {
    "calls": _l("calls in all"),
    "available": _l("available"),
    "held": _l("held"),
    "charged": _l("charged"),
    "lapsed": _l("lapsed"),
    "used_before": _l("used before"),
    "available though closed": _l("available though closed"),
}
GRACE = timedelta(days=1)
"""How long the job that writes off what expired may be away."""


def differences(today: date) -> Iterator[str]:
    """What is wrong with any lot."""
    for one in quota.recount():
        yield _("lot %(lot)s %(figure)s: stored %(stored)s, recounted %(counted)s", lot=one.lot_id,
                figure=FIGURES[one.figure], stored=one.cached, counted=one.recounted)  # fmt: skip
    lots = {lot.id: lot for lot in db.session.scalars(select(Lot).order_by(Lot.id))}
    trail = papers.read()
    yield from _missing(lots, trail.lots)
    for lot in lots.values():
        if lot.available and lot.expires_on + GRACE < today:
            yield _("lot %(lot)s expired on %(day)s, but %(calls)s calls of it have not lapsed",
                    lot=lot.id, day=lot.expires_on, calls=lot.available)  # fmt: skip
        if lot.id in trail.lots:
            yield from papers.contradictions(lot, trail.lots[lot.id])
        elif trail.is_whole:
            yield _("lot %(lot)s stands in no record of the audit trail", lot=lot.id)
    yield from papers.unlike_entries(trail.lots, quota.supply_entries())
    taken, made = uncovered.taken(), quota.charged_on_no_lot()
    if taken > made:
        yield _("lots gave %(taken)s calls late, but only %(made)s were charged on no lot", taken=taken, made=made)


def _missing(lots: Mapping[int, Lot], told: Mapping[int, Told]) -> Iterator[str]:
    named = entries.lots_named()
    for number in sorted((named.keys() | told.keys()) - lots.keys()):
        yield _("lot %(lot)s is missing: %(entries)s ledger entries name it", lot=number,
                entries=named.get(number, 0))  # fmt: skip
