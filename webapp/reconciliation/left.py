"""How many calls our lots had left at the moment of a reading: what is left now, with what happened since put back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select

from webapp.foundation.clock import day_of, end_of
from webapp.foundation.database import db
from webapp.quota import uncovered
from webapp.quota.models import ENDS, EntryKind, LedgerEntry, Lot
from webapp.reconciliation import judging, queries
from webapp.reconciliation.models import ReadingSource
from webapp.reconciliation.queries import Standing
from webapp.reconciliation.rules import Taken
from webapp.usage import daily
from webapp.usage.spans import DAY, Span
from webapp.vendor.contract import Billed
from webapp.vendor.metering import asks_sandbox
from webapp.verification.models import Verification


class Left(NamedTuple):
    """What our lots had left at a reading, from `least` to `most`, beside the vendor's figure."""

    least: int
    most: int
    gap: int
    """See `judging.left_gap`; 0 where the counter is a sandbox's, whose package is none of ours."""
    uncovered: int
    """Calls between baseline and reading that stand on no lot: the vendor took them from one."""


def compared(found: Standing, zone: ZoneInfo, now: datetime) -> Left:
    """What was left at the newest reading, as we know it now."""
    first, reading = found.baseline.at, found.reading
    least, most = left_at(reading.taken, zone, now)
    gap = judging.left_gap(reading.remaining, least, most, found.comparison.drift, found.total_grew)
    if reading.source == ReadingSource.METERING and asks_sandbox():
        gap = 0
    return Left(least, most, gap, _on_no_lot(first, reading.at, zone, now))


def _on_no_lot(first: datetime, last: datetime, zone: ZoneInfo, now: datetime) -> int:
    """Uncovered calls between two instants that no lot gave yet: whole days know which were given, instants how many
    there were."""
    days = uncovered.since(day_of(first, zone), day_of(now, zone), zone, last=day_of(last, zone))
    return min(queries.uncovered(first, last, zone), days)


def left_at(taken: Taken, zone: ZoneInfo, now: datetime) -> tuple[int, int]:
    """Least and most calls the lots had when the vendor took a figure. A call that is held, or ended meanwhile, may
    have been charged by the vendor or not; a lot that was recorded later may have been bought before or not."""
    at = taken.at
    day = day_of(at, zone)
    still = Lot.bought_on <= day, Lot.expires_on >= day, or_(Lot.closed_at.is_(None), Lot.closed_at > at)
    lots = db.session.scalars(select(Lot).where(*still).execution_options(populate_existing=True)).all()
    stood = [lot for lot in lots if lot.recorded_at <= at]
    charged, taken_open = _taken([lot.id for lot in stood], at, zone, now)
    held = sum(lot.held for lot in stood) + queries.under_way(taken, Billed.YES)
    least = sum(lot.available for lot in stood) + _ended([lot.id for lot in stood], at) + charged + taken_open
    late = sum(lot.available + lot.held + lot.charged for lot in lots if lot.recorded_at > at)
    return least, least + max(0, held - taken_open) + late + _given_late([lot.id for lot in lots], at, zone, now)


def _given_late(lots: Collection[int], at: datetime, zone: ZoneInfo, now: datetime) -> int:
    """The most that lots gave since for uncovered calls made after the instant: at the instant they had them."""
    given = uncovered.taken(LedgerEntry.at > at, LedgerEntry.lot_id.in_(lots))
    return min(given, queries.uncovered(at, now, zone)) if given else 0


def _ended(lots: Iterable[int], since: datetime) -> int:
    """Calls that lapsed or went back since."""
    kinds = LedgerEntry.verification_id.is_(None), LedgerEntry.kind.in_((*ENDS, EntryKind.REFUND))
    lost = select(func.coalesce(func.sum(-LedgerEntry.change), 0)).where(
        *kinds, LedgerEntry.lot_id.in_(list(lots)), LedgerEntry.at > since
    )
    return int(db.session.scalar(lost) or 0)


def _taken(lots: Iterable[int], since: datetime, zone: ZoneInfo, now: datetime) -> tuple[int, int]:
    """Calls made since that these lots gave: charged, and open. By rollups but for the rest of the first day."""
    first, last = day_of(since, zone), day_of(now, zone)
    begun = select(Verification.billed, func.count()).where(
        Verification.created_at >= since, Verification.created_at < end_of(first, zone),
        Verification.lot_id.in_(list(lots)),
    )  # fmt: skip
    counted = {str(billed): calls for billed, calls in db.session.execute(begun.group_by(Verification.billed))}
    if first < last:
        for (lot, _outcome, billed), days in daily.calls("lot", Span(first + DAY, last), zone).items():
            if lot in set(lots):
                counted[billed] = counted.get(billed, 0) + sum(days)
    return counted.get(Billed.YES, 0), counted.get(Billed.UNKNOWN, 0)
