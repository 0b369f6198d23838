"""Readings of the vendor's counter: each is possible in itself, and its drift is that of its own figures."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import aliased

from webapp.foundation.database import db
from webapp.reconciliation.models import MeterBaseline, MeterReading
from webapp.reconciliation.rules import Books, Comparison

PIECE = 10_000


def differences() -> Iterator[str]:
    """Each reading that cannot have been made as it stands."""
    first = aliased(MeterReading)
    beside = (
        select(MeterReading, first.id, first.used, MeterBaseline.id)
        .outerjoin(first, first.id == MeterReading.baseline_id)
        .outerjoin(MeterBaseline, MeterBaseline.reading_id == MeterReading.id)
        .order_by(MeterReading.id)
    )
    begun: set[int] = set()
    for reading, first_id, used_then, begins in db.session.execute(beside.execution_options(yield_per=PIECE)):
        if begins is not None:
            begun.add(reading.id)
        if not 0 <= reading.used <= reading.total:
            yield _("reading %(id)s: %(used)s used of a total of %(total)s cannot be",
                    id=reading.id, used=reading.used, total=reading.total)  # fmt: skip
        if reading.remaining != reading.total - reading.used:
            yield _("reading %(id)s: remaining is %(remaining)s, but total less used is %(expected)s",
                    id=reading.id, remaining=reading.remaining, expected=reading.total - reading.used)  # fmt: skip
        if reading.asked_at is not None and reading.asked_at > reading.at:
            yield _("reading %(id)s: its answer came before the vendor was asked", id=reading.id)
        if reading.baseline_id is None and begins is None:
            yield _("reading %(id)s was compared with no reading and begins no comparing", id=reading.id)
        elif reading.baseline_id is not None and (first_id not in begun or first_id >= reading.id):
            yield _("reading %(id)s was compared with reading %(first)s, from which no comparing began",
                    id=reading.id, first=reading.baseline_id)  # fmt: skip
        drift = _drift(reading, used_then)
        if reading.drift != drift:
            yield _("reading %(id)s: the stored drift is %(stored)s, by its figures it is %(expected)s",
                    id=reading.id, stored=reading.drift, expected=drift)  # fmt: skip


def _drift(reading: MeterReading, used_then: int | None) -> int:
    if used_then is None:
        return 0
    return Comparison(reading.used - used_then, Books(reading.charged, reading.unknown, reading.under_way)).drift
