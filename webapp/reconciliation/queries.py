"""What the readings are compared with: the calls made between two of them, by rollups for whole days and by rows for
the rest, so that it costs the same however many calls there were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, not_, or_, select, true

from webapp.foundation.clock import day_of, end_of, start_of
from webapp.foundation.database import db
from webapp.quota import queries as quota
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.quota.uncovered import NO_LOT
from webapp.reconciliation.models import MeterBaseline, MeterFailure, MeterReading, ReadingSource
from webapp.reconciliation.rules import Books, Comparison, Taken
from webapp.usage import daily
from webapp.usage.facets import FACETS
from webapp.usage.spans import DAY, Span
from webapp.vendor.contract import Billed, Outcome
from webapp.verification.models import Verification

LONGEST_CALL = timedelta(hours=1)
"""No call lasts longer: settings allow a deadline of ten minutes, and what is forgotten is given up soon after."""
MOST_UNKNOWN = 200

Counted = Counter[tuple[Any, ...]]
"""Calls by outcome and by whether they were charged, or by other fields of theirs."""
BY_OUTCOME = "outcome", "billed"


class Standing(NamedTuple):
    """The newest reading against our books as they are now."""

    reading: MeterReading
    baseline: MeterReading
    since: MeterBaseline
    comparison: Comparison
    unknown: Sequence[Verification]
    """The unknown calls of the interval, oldest first, the first `MOST_UNKNOWN`."""
    purchased: int
    """Calls of lots that were bought and recorded since the baseline, less what was refunded."""
    recorded: int
    """Calls of other lots that were recorded since: the baseline may have held them, or the reading."""

    @property
    def is_baseline(self) -> bool:
        """Whether comparing begins with the newest reading: there is nothing to compare yet."""
        return self.reading.id == self.baseline.id

    @property
    def offered(self) -> str | None:
        """The decision that settles all unknown calls at once: only where it explains the reading exactly."""
        listed = len(self.unknown) == self.comparison.books.unknown
        return self.comparison.all_unknown if listed else None

    @property
    def total_grew(self) -> int:
        """By how much the vendor's total moved since the baseline beyond the lots recorded here."""
        grew = self.reading.total - self.baseline.total - self.purchased
        return max(0, grew - self.recorded) if grew > 0 else grew


def newest() -> MeterReading | None:
    """The last reading."""
    return db.session.scalar(select(MeterReading).order_by(MeterReading.id.desc()).limit(1))


def begun_by_hand() -> bool:
    """Whether a person entered the figures that comparing began with."""
    since = baseline()
    return since is not None and db.session.get_one(MeterReading, since.reading_id).source == ReadingSource.MANUAL


def baseline() -> MeterBaseline | None:
    """From which reading on we compare."""
    return db.session.scalar(select(MeterBaseline).order_by(MeterBaseline.id.desc()).limit(1))


def standing(zone: ZoneInfo) -> Standing | None:
    """None before the first reading."""
    reading, since = newest(), baseline()
    return None if reading is None or since is None else standing_of(reading, since, zone)


def standing_of(reading: MeterReading, since: MeterBaseline, zone: ZoneInfo) -> Standing:
    """A reading against our books of that instant, as we know them now."""
    first = db.session.get_one(MeterReading, since.reading_id)
    comparison = compare(first, reading.used, reading.taken, zone)
    unknown = _unknown_between(first.at, reading.at) if comparison.books.unknown else []
    return Standing(reading, first, since, comparison, unknown, *_purchased(first.at, reading.at, zone))


def used_when_agreed(reading: MeterReading, since: MeterBaseline) -> int:
    """Calls that the vendor had counted at the last reading before this one that agreed with nothing open, at the
    latest at the baseline; those of this one if comparing begins with it."""
    one = MeterReading
    agreed = and_(one.baseline_id == since.reading_id, one.drift == 0, one.unknown == 0, one.under_way == 0)
    last = select(one.used).where(one.id < reading.id, or_(one.id == since.reading_id, agreed))
    used = db.session.scalar(last.order_by(one.id.desc()).limit(1))
    return reading.used if used is None else used


def failing_since() -> datetime | None:
    """When the counter gave nothing for the first time since the last reading; None: it did not."""
    last = newest()
    after = MeterFailure.at > last.at if last is not None else true()
    return db.session.scalar(select(MeterFailure.at).where(after).order_by(MeterFailure.at).limit(1))


def compare(first: MeterReading, used: int, taken: Taken, zone: ZoneInfo) -> Comparison:
    """The vendor's count from the reading `first` to the figure taken then, beside ours, as we know it now."""
    return Comparison(used - first.used, books(first.taken, taken, zone))


def books(since: Taken, until: Taken, zone: ZoneInfo) -> Books:
    """Our count of the calls made between two figures of the vendor's. A call that was under way while it took one of
    them may have been counted on either side of it."""
    if until.at <= since.at:
        return Books()
    counted = _counted(since.at, until.at, zone)
    before, after = _under_way(since), _under_way(until, since.at)
    charged = _billed(counted, Billed.YES) - _billed(after, Billed.YES)
    sending = counted[Outcome.SENDING, Billed.UNKNOWN]
    unknown = _billed(counted, Billed.UNKNOWN) - sending
    return Books(charged, unknown, _billed(after, Billed.YES) + sending + sum(before.values()))


def page(before: int | None, size: int) -> Sequence[MeterReading]:
    """Readings, the newest first, from the one before the reading of this number on; one more than `size`."""
    query = select(MeterReading).order_by(MeterReading.id.desc()).limit(size + 1)
    return db.session.scalars(query if before is None else query.where(MeterReading.id < before)).all()


def baselines(reading_ids: Sequence[int]) -> dict[int, MeterBaseline]:
    """Those of these readings from which on we compared."""
    found = db.session.scalars(select(MeterBaseline).where(MeterBaseline.reading_id.in_(reading_ids)))
    return {one.reading_id: one for one in found}


def failures(most: int) -> Sequence[MeterFailure]:
    """The newest failures, newest first."""
    return db.session.scalars(select(MeterFailure).order_by(MeterFailure.id.desc()).limit(most)).all()


def valid_lots(today_has: datetime, zone: ZoneInfo) -> Sequence[Lot]:
    """The lots that calls are drawn from at this instant, in the order of drawing."""
    return quota.valid_lots(day_of(today_has, zone))


def charged_since(first: MeterReading, lots: Sequence[Lot], now: datetime, zone: ZoneInfo) -> list[int]:
    """Calls charged to each of these lots from the day of that reading on."""
    span = Span(day_of(first.at, zone), max(day_of(first.at, zone), day_of(now, zone)))
    by_lot: Counter[int] = Counter()
    for (lot_id, _outcome, billed), days in daily.calls("lot", span, zone).items():
        by_lot[lot_id] += sum(days) if billed == Billed.YES else 0
    return [by_lot[lot.id] for lot in lots]


def uncovered(since: datetime, until: datetime, zone: ZoneInfo) -> int:
    """Charged calls made between two instants that no lot covered."""
    return _counted(since, until, zone, ("lot_id", "billed"))[NO_LOT, Billed.YES]


def _counted(since: datetime, until: datetime, zone: ZoneInfo, by: tuple[str, str] = BY_OUTCOME) -> Counted:
    first, last = day_of(since, zone), day_of(until, zone)
    if first == last:
        return _rows(since, until, by)
    counted = _rows(since, end_of(first, zone), by) + _rows(start_of(last, zone), until, by)
    whole, facet = Span(first + DAY, last - DAY), "outcome" if by == BY_OUTCOME else "lot"
    places = [FACETS[facet].names.index(name) for name in by]
    for key, days in daily.calls(facet, whole, zone).items() if whole.first <= whole.last else ():
        counted[tuple(key[place] for place in places)] += sum(days)
    return counted


def _rows(since: datetime, until: datetime, by: tuple[str, str]) -> Counted:
    fields = [func.coalesce(Verification.lot_id, NO_LOT) if name == "lot_id" else getattr(Verification, name)
              for name in by]  # fmt: skip
    made = select(*fields, func.count()).where(Verification.created_at >= since, Verification.created_at < until)
    return Counter({tuple(key): calls for *key, calls in db.session.execute(made.group_by(*fields))})


def _under_way(figure: Taken, made_from: datetime | None = None) -> Counted:
    """Calls begun before a figure was there that ended after it was asked for, or not yet, and were or may be charged;
    `made_from`: none that were made before."""
    made = select(Verification.outcome, Verification.billed, func.count()).where(
        Verification.created_at >= max(figure.asked - LONGEST_CALL, made_from or figure.asked - LONGEST_CALL),
        Verification.created_at < figure.at,
        or_(Verification.finished_at.is_(None), Verification.finished_at > figure.asked),
        Verification.billed != Billed.NO,
    )
    grouped = made.group_by(Verification.outcome, Verification.billed)
    return Counter({(str(outcome), str(billed)): calls for outcome, billed, calls in db.session.execute(grouped)})


def _billed(counted: Counted, billed: Billed) -> int:
    return sum(calls for (_outcome, charged), calls in counted.items() if charged == billed)


def _unknown_between(since: datetime, until: datetime) -> Sequence[Verification]:
    made = select(Verification).where(
        Verification.outcome != Outcome.SENDING, Verification.billed == Billed.UNKNOWN,
        Verification.created_at >= since, Verification.created_at < until,
    )  # fmt: skip
    return db.session.scalars(made.order_by(Verification.created_at, Verification.id).limit(MOST_UNKNOWN)).all()


def under_way(figure: Taken, billed: Billed) -> int:
    """Calls charged so by now that were under way while the vendor took a figure."""
    return _billed(_under_way(figure), billed)


def _purchased(since: datetime, until: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """Calls bought between two readings, less what was refunded; and those of lots recorded since then of which nobody
    knows on which side of a reading they were bought."""
    entry, kinds = LedgerEntry, LedgerEntry.kind.in_((EntryKind.PURCHASE, EntryKind.REFUND))
    surely = and_(entry.at <= until, or_(entry.kind == EntryKind.REFUND, Lot.bought_on > day_of(since, zone)))
    calls = (
        func.sum(case((surely, entry.change), else_=0)),
        func.sum(case((and_(not_(surely), entry.kind == EntryKind.PURCHASE), entry.change), else_=0)),
    )
    bought = select(*calls).join(Lot, Lot.id == entry.lot_id)
    sums = db.session.execute(bought.where(entry.verification_id.is_(None), kinds, entry.at > since)).one()
    return int(sums[0] or 0), int(sums[1] or 0)
