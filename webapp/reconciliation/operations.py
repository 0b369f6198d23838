"""Reading the vendor's counter, and what follows from a reading: settling what it explains, rebasing on it.

A reading is stored with what our books said at that moment. Nothing is settled and nothing corrected by itself: an
admin decides, with a reason, on figures that are looked at again in the transaction that acts on them.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import or_, true, update

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import insert_once, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.quota import ledger
from webapp.quota.models import Lot
from webapp.reconciliation import judging, queries, rules, telling
from webapp.reconciliation.models import MeterBaseline, MeterFailure, MeterReading, MeterTurn, ReadingSource
from webapp.reconciliation.rules import ReadingFault
from webapp.vendor.metering import Meter
from webapp.vendor.metering_answer import Failure, Figures
from webapp.verification import settling
from webapp.verification.models import Decision
from webapp.verification.settling import SettledAlready

HOUR = timedelta(hours=1)
"""How often the vendor may be asked at most (vendor.md section 4: how often it allows is not known)."""
TURN = timedelta(minutes=15)
"""When one who asks must have ended; longer than any deadline that settings allow."""
THE_ONE = 1
WENT_BACK = "went_back"
"""A fault beside those of the client: the figures are lower than those of the last reading."""


class WrongReading(Exception):
    """These figures are no reading; nothing was stored. `last` is the reading they contradict, if one does."""

    def __init__(self, fault: ReadingFault, last: MeterReading | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.last = last


class NotAsked(Exception):
    """The vendor was not asked: no key is set (`again_at` None), or it is not due before `again_at`."""

    def __init__(self, again_at: datetime | None = None) -> None:
        super().__init__(f"not before {again_at}" if again_at else "no AccessKey is set")
        self.again_at = again_at


class Changed(Exception):
    """The figures are not those the decision was made on any more; nothing was changed."""


class NotSure(Exception):
    """Correcting by this reading may do harm: nothing was changed. Whoever is sure says so."""


def enter(used: int, total: int, who: Who, instance: Instance, now: datetime, *, anew: bool = False) -> MeterReading:
    """Stores what a person read in the console. `anew`: lower figures are taken too, and comparing begins with them.

    Raises `WrongReading`.
    """
    with transaction():
        return _store(Figures(used, total), ReadingSource.MANUAL, who, instance, now, anew=anew)


def ask(
    meter: Meter, who: Who, instance: Instance, now: datetime, *, hurry: bool = False
) -> MeterReading | MeterFailure:
    """Asks the vendor's counter and stores what came of it. `hurry`: a sandbox may be asked again within the hour.

    Raises `NotAsked`.
    """
    if not meter.is_set():
        raise NotAsked
    with transaction():
        _take_turn(now, hurry=hurry and meter.is_sandbox)
    began = time.monotonic()
    found = meter.read(now)
    came = now + timedelta(seconds=time.monotonic() - began)
    with transaction() as session:
        session.execute(update(MeterTurn).where(MeterTurn.id == THE_ONE).values(until=None))
        if isinstance(found, Failure):
            return _fail(found.fault, found, who, instance, came)
        try:
            # A sandbox forgets its books when it starts again: that is no news. What a person set stands all the same.
            anew = meter.is_sandbox and not queries.begun_by_hand()
            return _store(found, ReadingSource.METERING, who, instance, came, asked_at=now, anew=anew)
        except WrongReading:
            return _fail(WENT_BACK, found, who, instance, came, is_news=not meter.is_sandbox)


def ask_hourly(meter: Meter, who: Who, instance: Instance, now: datetime) -> bool:
    """The job: asks where a key is set and the hour is over. One item at most, so never True."""
    if not meter.asks_by_itself():
        return False
    try:
        ask(meter, who, instance, now)
    except NotAsked:
        return False
    return False


def settle(reading_id: int, decision: Decision, reason: str, who: Who, instance: Instance, now: datetime) -> int:
    """Settles all unknown calls as the newest reading explains them, and returns how many. Raises `Changed`,
    `NamesSomeone`."""
    found = queries.standing(instance.settings.zone)
    if found is None or found.reading.id != reading_id or found.offered != decision:
        raise Changed
    try:
        settling.settle_all([row.id for row in found.unknown], decision, reason, who, instance, now)
    except SettledAlready as error:
        raise Changed from error
    return len(found.unknown)


def rebase(
    reading_id: int, drift: int, reason: str, who: Who, instance: Instance, now: datetime, *, sure: bool = False
) -> int:
    """Mends the ledger by the drift of the newest reading and compares from that reading on; returns by how many calls
    more the lots have left (less than the drift where they had fewer to take).

    Raises `Changed`, and `NotSure` unless there is no risk in it or the person is `sure`.
    """
    zone = instance.settings.zone
    with transaction():
        found = queries.standing(zone)
        if found is None or found.reading.id != reading_id or not drift or found.comparison.drift != drift:
            raise Changed
        lots = queries.valid_lots(now, zone)
        charged = queries.charged_since(found.baseline, lots, now, zone)
        available = [lot.available for lot in lots]
        changes = rules.shares(drift, available, charged)
        if not sure and judging.risks(found.total_grew, changes, available):
            raise NotSure
        if not _begin_with(found.reading, who, now, reason=reason, corrected=sum(changes)):
            raise Changed
        try:
            for lot, change in zip(lots, changes, strict=True):
                _move(lot, change, reason, who, now)
        except (ledger.NotSoMany, ledger.TooMany, ledger.LotClosed) as error:
            raise Changed from error
        append(who, Action.BOOKS_REBASED, now, on=("reading", reading_id), drift=drift, corrected=sum(changes))
        telling.of_rebase()
        return sum(changes)


def _move(lot: Lot, change: int, reason: str, who: Who, now: datetime) -> None:
    """Takes calls of a lot that were used past this product, or gives calls back: as many as were booked so at most. A
    lot that lacks more than that was smaller than the vendor's: only a correction makes it larger."""
    elsewhere = rules.elsewhere(change, lot.used_before)
    if elsewhere:
        ledger.use_elsewhere(lot.id, elsewhere, reason, who, now)
    if change != elsewhere:
        ledger.correct(lot.id, change - elsewhere, reason, who, now)


def _take_turn(now: datetime, *, hurry: bool) -> None:
    insert_once(MeterTurn, id=THE_ONE)
    # A turn that ends further ahead than any honest clock could have put it does not count.
    free = or_(MeterTurn.until.is_(None), MeterTurn.until <= now, MeterTurn.until > now + 2 * TURN)
    due = or_(MeterTurn.asked_at.is_(None), MeterTurn.asked_at <= now - HOUR, MeterTurn.asked_at > now)
    session = must_write()
    mine = update(MeterTurn).where(MeterTurn.id == THE_ONE, free, true() if hurry else due)
    if session.scalar(mine.values(asked_at=now, until=now + TURN).returning(MeterTurn.id)) is None:
        turn = session.get_one(MeterTurn, THE_ONE, populate_existing=True)
        raise NotAsked(max(filter(None, (turn.until, turn.asked_at and turn.asked_at + HOUR))))


def _store(
    figures: Figures, source: ReadingSource, who: Who, instance: Instance, now: datetime, *,
    asked_at: datetime | None = None, anew: bool = False, begins: bool = False,
) -> MeterReading:  # fmt: skip
    last, since = queries.newest(), None if begins else queries.baseline()
    fault = rules.reading_fault(figures.used, figures.total, last.used if last else None)
    if fault and not (anew and fault is ReadingFault.OLDER):
        raise WrongReading(fault, last)
    at = max(now, last.at) if last else now
    reading = MeterReading(
        at=at, asked_at=asked_at and at - (now - asked_at), source=source, used=figures.used, total=figures.total,
        remaining=figures.remaining, request_id=figures.request_id, actor_id=who.user_id,
        charged=0, unknown=0, under_way=0, drift=0,
    )  # fmt: skip
    session = must_write()
    found = None
    if since is not None and not fault:
        first = session.get_one(MeterReading, since.reading_id)
        found = queries.compare(first, figures.used, reading.taken, instance.settings.zone)
        reading.baseline_id, reading.drift = first.id, found.drift
        reading.charged, reading.unknown = found.books.charged, found.books.unknown
        reading.under_way = found.books.under_way
    session.add(reading)
    session.flush()
    if found is None:
        _begin_with(reading, who, now)
    telling.of_reading(reading, last, instance.settings.zone, now)
    append(who, Action.COUNTER_READ, now, on=("reading", reading.id),
           source=source, used=figures.used, total=figures.total, drift=reading.drift)  # fmt: skip
    return reading


def begin_with(figures: Figures, who: Who, instance: Instance, now: datetime) -> MeterReading:
    """Stores the console's figures in the caller's transaction as the reading from which on we compare."""
    return _store(figures, ReadingSource.MANUAL, who, instance, now, anew=True, begins=True)


def _begin_with(reading: MeterReading, who: Who, now: datetime, *, reason: str = "", corrected: int = 0) -> bool:
    return insert_once(MeterBaseline, reading_id=reading.id, set_at=now, actor_id=who.user_id,
                       reason=reason, corrected=corrected)  # fmt: skip


def _fail(
    fault: str, found: Failure | Figures, who: Who, instance: Instance, now: datetime, *, is_news: bool = True
) -> MeterFailure:
    failure = MeterFailure(
        at=now, fault=fault, code=getattr(found, "code", ""), http_status=getattr(found, "http_status", None),
        request_id=found.request_id, actor_id=who.user_id,
    )  # fmt: skip
    session = must_write()
    session.add(failure)
    session.flush()
    if is_news:
        telling.of_failure(instance.settings.zone, now)
    append(who, Action.COUNTER_READ, now, success=False, source=ReadingSource.METERING, fault=fault)
    return failure
