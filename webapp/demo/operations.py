"""Filling an empty practice instance with a made-up year, as the product itself would have written it.

Users, purposes, purchases and what lapses go through the operations of their own rooms; the calls, which are many, are
stored in bulk. The figures of the lots and the counters are kept in step with each batch, and all is one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, text, update

from webapp.accounts.models import MADE_UP, Role
from webapp.accounts.operations import Profile, create_user
from webapp.audit import sealer
from webapp.audit.sealer import Ready
from webapp.audit.trail import SYSTEM, AuditRecord, Who
from webapp.demo import CannotFill, loading
from webapp.demo.apart import made
from webapp.demo.making import Maker
from webapp.demo.orders import Operator, Orders, Use
from webapp.demo.outcomes import KINDS
from webapp.demo.rows import Batch
from webapp.foundation.clock import day_of, start_of
from webapp.foundation.database import Base, db, must_write
from webapp.foundation.instance import Instance
from webapp.notify import notices
from webapp.quota import drawing, ledger
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.usage import packing
from webapp.usage import queries as usage
from webapp.usage.calendar import DayKind
from webapp.usage.facets import Place
from webapp.vendor.contract import Billed, Outcome
from webapp.verification import purposes
from webapp.verification.models import LegalBasis, Purpose, Verification
from webapp.verification.operations import GRACE
from webapp.verification.purposes import Terms

ADMIN = Profile("王管理", f"admin@{MADE_UP}", Role.ADMIN, "综合部")
STAFF = tuple(
    Profile(name, f"{login}@{MADE_UP}", Role.OPERATOR, department)
    for name, login, department in (
        ("李前台", "li", "前台"), ("赵前台", "zhao", "前台"), ("孙前台", "sun", "前台"), ("周人事", "zhou", "人事部"),
        ("吴人事", "wu", "人事部"), ("郑客服", "zheng", "客服部"), ("冯客服", "feng", "客服部"),
        ("陈客服", "chen", "客服部"), ("褚安保", "chu", "安保部"), ("卫安保", "wei", "安保部"),
    )
)  # fmt: skip
PURPOSES = (
    (Terms("入职核验", "Hiring", LegalBasis.CONTRACT, True, 24, 1, 1), "HR"),
    (Terms("客户开户", "Opening an account", LegalBasis.LEGAL_DUTY, False, 24, 1, 1), ""),
)
"""Beside the first one; with the beginning of their references."""
ALONE_UP_TO = 50_000
"""Calls; more are made by a second process while this one stores them."""
LAPSES, BUYS = timedelta(minutes=1), timedelta(hours=8, minutes=1)
"""After midnight: when the job writes off what expired, and when the admin buys."""


class Filled(NamedTuple):
    """What was made."""

    calls: int
    first: date
    last: date
    lots: int


def fill(calls: int, days: int, seed: int, instance: Instance, now: datetime, *, alone_up_to: int = ALONE_UP_TO
         ) -> Filled:  # fmt: skip
    """Makes and stores the calls of so many days until `now`. Raises `CannotFill`."""
    if instance.kind != "sandbox":
        raise CannotFill(
            "this instance is live: made-up calls have no place in it. Practise in another instance folder"
        )
    _refuse_books()
    calendar = _calendar(days, instance.settings.zone, now)
    with loading.bulk() as connection:
        orders, who = _orders(connection, calls, days, seed, instance, now)
        loading.stage(connection, orders)
        maker = Maker(orders, calendar, instance.sealer, next(iter(sealer.secrets_of(instance.keys).values())))
        months: Counter[tuple[date, Place]] = Counter()
        with made(maker, instance, apart=calls > alone_up_to) as batches:
            for batch in batches:
                _begin_day(batch, orders, who)
                sealer.seal_as_found(instance.keys, now)
                loading.store(connection, batch, orders)
                _seal(connection, batch, instance, now)
                _keep_in_step(connection, batch, orders)
                months.update(loading.count(connection, batch, orders.zone))
        packing.add(must_write(), months)
        loading.make_findable(connection)
        _give_out(connection, Verification, orders.first_call + calls - 1)
        lots = connection.scalar(select(func.count()).select_from(Lot)) or 0
    return Filled(calls, maker.days[0], maker.days[-1], lots)


def _calendar(days: int, zone: ZoneInfo, now: datetime) -> dict[date, DayKind]:
    today, kind = day_of(now, zone), usage.calendar().kind
    return {day: kind(day) for day in (today - timedelta(days=back) for back in range(days + 1))}


def _refuse_books() -> None:
    for model in (Verification, Lot):
        if db.session.scalar(select(model.id).limit(1)) is not None:
            raise CannotFill("the books hold calls or lots already: fill a new instance, in another YULIANG_INSTANCE")


def _orders(
    connection: Connection, calls: int, days: int, seed: int, instance: Instance, now: datetime
) -> tuple[Orders, Who]:
    """Hires who works in the year, and what for; they were there the day before it."""
    settings = instance.settings
    before = start_of(day_of(now, settings.zone) - timedelta(days=days), settings.zone)
    admin = create_user(ADMIN, None, SYSTEM, before)
    who = Who(admin.id, admin.name)
    operators = tuple(_hire(one, who, before) for one in STAFF)
    return Orders(
        calls, days, seed, now, settings.zone, timedelta(seconds=settings.vendor_deadline) + GRACE, drawing.order(),
        admin.id, admin.name, operators, tuple(_uses(who, before)), _next_row(connection, Verification),
        _next_row(connection, Lot), _next_row(connection, AuditRecord),
    ), who  # fmt: skip


def _hire(profile: Profile, who: Who, now: datetime) -> Operator:
    """An operator without a password: an admin may give them one."""
    user = create_user(profile, None, who, now)
    return Operator(user.id, user.department_id or 0, user.name)


def _uses(who: Who, now: datetime) -> Iterator[Use]:
    """The purposes that stand already, and ours."""
    session = must_write()
    ours = {terms.name_zh: prefix for terms, prefix in PURPOSES}
    there = set(session.scalars(select(Purpose.name_zh)))
    for terms, _prefix in PURPOSES:
        if terms.name_zh not in there:
            purposes.add(terms, who, now)
    for row in session.scalars(select(Purpose).where(Purpose.active).order_by(Purpose.id)):
        prefix = ours.get(row.name_zh) or ("ZD" if row.reference_required else "")
        yield Use(row.id, row.legal_basis, row.legal_basis == LegalBasis.CONSENT, prefix)


def _next_row(connection: Connection, model: type[Base]) -> int:
    """The row number that the database gives next. None is given twice."""
    table = model.__tablename__
    if connection.dialect.name == "postgresql":
        given = connection.scalar(text("SELECT nextval(pg_get_serial_sequence(:table, 'id'))"), {"table": table})
        connection.execute(_SET, {"table": table, "last": given, "used": False})
        return int(given or 1)
    given = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table})
    there = connection.scalar(text(f"SELECT max(id) FROM {table}"))  # noqa: S608  # our own name
    return max(given or 0, there or 0) + 1


_SET = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last, :used)")


def _give_out(connection: Connection, model: type[Base], last: int) -> None:
    """Says that row numbers up to `last` are given; SQLite knows by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(_SET, {"table": model.__tablename__, "last": last, "used": True})
        connection.execute(text("ANALYZE"))


def _begin_day(batch: Batch, orders: Orders, who: Who) -> None:
    """What comes before the calls: expired lots lapse, the admin buys."""
    midnight = start_of(batch.morning, orders.zone)
    while ledger.lapse_expired(batch.morning, midnight + LAPSES):
        pass
    for bought in batch.bought:
        ledger.record_purchase(Purchase(**bought._asdict()), who, midnight + BUYS)


def _seal(connection: Connection, batch: Batch, instance: Instance, now: datetime) -> None:
    """Closes the trail over the records of a batch. They must have the numbers that they were sealed with."""
    last = connection.scalar(select(func.max(AuditRecord.id)))
    if batch.trail and last != batch.trail[-1].last_id:
        raise RuntimeError(f"the newest record is {last}, it was sealed as {batch.trail[-1].last_id}")
    sealer.seal_ready([Ready(*seals) for seals in batch.trail], instance.keys, now)


def _keep_in_step(connection: Connection, batch: Batch, orders: Orders) -> None:
    """What the product moves along with each call: the figures of its lot, and what admins are told."""
    for lot in batch.lots:
        figures = {"available": lot.available, "held": lot.held, "charged": lot.charged}
        connection.execute(update(Lot.__table__).where(Lot.__table__.c.id == lot.id).values(figures))  # type: ignore[arg-type]
    must_write().expire_all()
    for call in batch.told:
        at = datetime.fromisoformat(call.finished_at).replace(tzinfo=UTC)
        if KINDS[call.kind].outcome is Outcome.UNEXPECTED:
            code = KINDS[call.kind].code
            notices.tell("admin", "unexpected_answer", f"unexpected:{call.id}", at, id=call.id, code=code)
        elif call.billed == Billed.UNKNOWN:
            notices.tell("admin", "unknown_outcome", f"unknown:{call.id}", at, id=call.id)
