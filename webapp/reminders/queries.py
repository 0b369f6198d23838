"""Reads of the reminders: what stands, what was told, who is told, and what comes next as far as known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Select, String, and_, bindparam, cast, exists, literal, or_, select

from webapp.accounts.models import Role, User
from webapp.audit import queries as audit
from webapp.audit.trail import Action
from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.notify import queries as notify
from webapp.notify.messages import Message, State
from webapp.quota import queries as quota
from webapp.quota.models import Lot
from webapp.reminders import rules
from webapp.reminders.models import Episode, Recipient, ToldLot, reader_of
from webapp.reminders.rules import BY_THE_CLOCK, DAYS_AHEAD, TOO_LATE, Closed, ExpiringLot, Rule, Supply
from webapp.usage import forecast as forecasting
from webapp.usage import queries as usage
from webapp.usage.demand import Demand
from webapp.usage.forecast import Forecast, Stock

DAYS_SHOWN = 30
LOOK_BACK = 2 * TOO_LATE


@dataclass(frozen=True, slots=True)
class Told:
    """Someone who is told, with the address, language and name in force."""

    address: str
    name: str
    """The user's name, where the recipient is a user."""
    locale: str
    mark: str = ""
    """Of the recipient, see there."""

    @property
    def reader(self) -> str:
        """As messages name them."""
        return reader_of(self.mark)


def supply(today: date) -> Supply:
    """What all valid lots make together now."""
    return Supply(*quota.valid_supply(today))


def open_episodes() -> Sequence[Episode]:
    """Episodes that are not over, oldest first."""
    return db.session.scalars(_OPEN).all()


def changeable(today: date) -> Sequence[Episode]:
    """Episodes that a look at this day may change, oldest first: those that are not over; those that are over before
    the day that they tell of, which people or the clock may take back; and those of an end that has come for which a
    message is not delivered yet, or which a clock that was wrong took for another."""
    return db.session.scalars(_CHANGEABLE, {"today": today, "lately": today - TOO_LATE}).all()


def to_be_told(today: date) -> Sequence[Episode]:
    """Episodes whose messages are still to be delivered, oldest first: those that are not over, and those of an end
    that came not long ago for which a message is not delivered yet. New messages are written of the former only."""
    return db.session.scalars(_TO_BE_TOLD, {"lately": today - TOO_LATE}).all()


def is_to_be_told(episode: Episode, today: date) -> bool:
    """Whether an episode that is `changeable` is also `to_be_told`."""
    come = episode.closed == Closed.EXPIRED and episode.ends_on is not None and episode.ends_on >= today - TOO_LATE
    return episode.closed_at is None or come


# Put together once: making a statement costs more than running it, and `review` runs most of them every minute.
_come_undelivered = and_(
    Episode.closed == Closed.EXPIRED,
    exists().where(Message.cause == literal("episode:") + cast(Episode.id, String),
                   or_(Message.state.in_((State.QUEUED, *notify.LOST)),
                       and_(Message.state == State.DROPPED, Message.reason.in_(BY_THE_CLOCK)))),
)  # fmt: skip
_lately = Episode.ends_on >= bindparam("lately", type_=Date)
_by_the_clock = and_(Episode.closed.in_(BY_THE_CLOCK), _lately)
"""Over by a clock that is wrong, or was when it looked last."""


def _found(*which: ColumnElement[bool]) -> Select[Episode]:
    found = select(Episode).where(or_(Episode.closed_at.is_(None), *which)).order_by(Episode.id)
    return found.execution_options(populate_existing=True)


_OPEN = _found()
_CHANGEABLE = _found(
    and_(Episode.rule == Rule.EXPIRY, Episode.ends_on >= bindparam("today", type_=Date)),
    _come_undelivered, _by_the_clock,
)  # fmt: skip
_TO_BE_TOLD = _found(and_(_lately, _come_undelivered))
_NEWEST_LOW = (
    select(Episode).where(Episode.rule == Rule.LOW).order_by(Episode.id.desc()).limit(1)
    .execution_options(populate_existing=True)
)  # fmt: skip


def newest_low() -> Episode | None:
    """The newest low episode; it alone may be open."""
    return db.session.scalar(_NEWEST_LOW)


def open_low() -> Episode | None:
    """The low episode that is open; there is never more than one."""
    newest = newest_low()
    return newest if newest is not None and newest.closed_at is None else None


def episode(episode_id: int) -> Episode | None:
    """One episode, as it is now."""
    return db.session.get(Episode, episode_id, populate_existing=True)


def episodes(most: int) -> Sequence[Episode]:
    """The newest episodes, newest first."""
    return db.session.scalars(select(Episode).order_by(Episode.id.desc()).limit(most)).all()


def lots_of(episode_id: int) -> Sequence[Lot]:
    """The lots an episode tells of, as they are now."""
    return db.session.scalars(_LOTS_OF, {"episode": episode_id}).all()


_LOTS_OF = (
    select(Lot).join(ToldLot, ToldLot.lot_id == Lot.id).where(ToldLot.episode_id == bindparam("episode"))
    .order_by(Lot.id).execution_options(populate_existing=True)
)  # fmt: skip


def lots_ending_with(episode: Episode) -> Sequence[Lot]:
    """Those of them that still end on its day: the others were moved, or closed."""
    return [lot for lot in lots_of(episode.id) if lot.expires_on == episode.ends_on and lot.closed_at is None]


def calls_ending(lots: Sequence[Lot]) -> int:
    """The calls that end, or have ended, unused with these lots; where all that is left is on its way, that."""
    return sum(expiring(lot).left for lot in lots) or sum(lot.held for lot in lots)


def expiry_closed(episode: Episode, today: date) -> Closed | None:
    """Why an expiry episode is over by its lots as they are now; None while it stands."""
    return rules.expiry_closed(episode.ends_on or today, [expiring(lot) for lot in lots_of(episode.id)], today)


_CHANGES = Action.LOT_CHANGED, Action.LOT_CLOSED, Action.LOT_REOPENED, Action.LOT_CORRECTED


def untold_lots(today: date) -> list[ExpiringLot]:
    """Lots that end soon, or ended not long ago, with calls that nobody was told of."""
    lots = quota.lots_ending(today - LOOK_BACK, today + timedelta(days=DAYS_AHEAD))
    told = _told(lots)
    untold = [expiring(lot) for lot in lots if (lot.id, lot.expires_on) not in told]
    changed = audit.newest_on("lot", [lot.id for lot in untold if lot.left], _CHANGES)
    return [replace(lot, changed_at=changed.get(lot.id)) for lot in untold]


def expiring(lot: Lot) -> ExpiringLot:
    """A lot as the rules see it; what has lapsed already counts as left when it ended, but what was written off with
    a lot that a person closed does not."""
    if lot.closed_at is not None:
        return ExpiringLot(lot.id, lot.expires_on, 0, lot.recorded_at, closed=True)
    return ExpiringLot(lot.id, lot.expires_on, lot.available + lot.lapsed, lot.recorded_at, lot.held)


def coming_lots(today: date) -> Sequence[Lot]:
    """Valid and future lots with calls left that were not told yet, the one that ends first first."""
    lots = [lot for lot in quota.lots_ending(today, date.max) if lot.available]
    told = _told(lots)
    return [lot for lot in lots if told.get((lot.id, lot.expires_on), Closed.NOT_YET) == Closed.NOT_YET]


def _told(lots: Sequence[Lot]) -> dict[tuple[int, date], Closed | None]:
    """The ends of these lots that have an episode, and why it is over."""
    found = db.session.execute(_TOLD, {"lots": [lot.id for lot in lots]})
    return {(lot_id, day): closed for lot_id, day, closed in found}


_TOLD = (
    select(ToldLot.lot_id, ToldLot.ends_on, Episode.closed).join(Episode, Episode.id == ToldLot.episode_id)
    .where(ToldLot.lot_id.in_(bindparam("lots", expanding=True)))
)  # fmt: skip


def recipients() -> list[tuple[Recipient, User | None]]:
    """Everyone on the list, with their user where they are one."""
    query = select(Recipient, User).outerjoin(User, User.id == Recipient.user_id).order_by(Recipient.id)
    return [(recipient, user) for recipient, user in db.session.execute(query)]


def recipient_by_email(email: str) -> Recipient | None:
    """The recipient who is told at this address, a user first."""
    at_home = and_(Recipient.user_id.is_(None), Recipient.email == email)
    found = select(Recipient).outerjoin(User, User.id == Recipient.user_id).where(or_(User.email == email, at_home))
    found = found.order_by(Recipient.user_id.is_(None), Recipient.id).limit(1)
    return db.session.scalar(found.execution_options(populate_existing=True))


def recipient_by_mark(mark: str) -> Recipient | None:
    """The recipient with this mark; None where there is none any more."""
    number = mark.partition("-")[0]
    found = db.session.get(Recipient, int(number), populate_existing=True) if number.isdecimal() else None
    return found if found is not None and found.mark == mark else None


def address_of(recipient: Recipient) -> str:
    """Where a recipient is told."""
    if recipient.user_id is None:
        return recipient.email or ""
    return db.session.scalars(select(User.email).where(User.id == recipient.user_id)).one()


Listed = tuple[Recipient, User | None]


def confirmed() -> list[Listed]:
    """Everyone on the list who has agreed, with their user where they are one."""
    return [(recipient, user) for recipient, user in db.session.execute(_CONFIRMED)]


_CONFIRMED = (
    select(Recipient, User).outerjoin(User, User.id == Recipient.user_id).where(Recipient.confirmed_at.is_not(None))
    .order_by(Recipient.id).execution_options(populate_existing=True)
)  # fmt: skip


def audience(listed: Sequence[Listed] | None = None) -> dict[Rule, list[Told]]:
    """Who is told of each rule, of those `listed` (default: all who have agreed). No address is told twice: a user's
    may have become one that was on the list already."""
    listed = confirmed() if listed is None else listed
    rows = [(row, _told_as(row, user)) for row, user in listed if _counts(row, user)]
    wanted = {rule: [told for row, told in rows if row.wants(rule)] for rule in Rule}
    return {rule: list({told.address: told for told in reversed(all_told)}.values())[::-1]
            for rule, all_told in wanted.items()}  # fmt: skip


def is_told(mark: str, rule: Rule) -> bool:
    """Whether the recipient with this mark is among those who are told of a rule."""
    number = mark.partition("-")[0]
    if not number.isdecimal():
        return False
    query = select(Recipient, User).outerjoin(User, User.id == Recipient.user_id).where(Recipient.id == int(number))
    found = db.session.execute(query.execution_options(populate_existing=True)).first()
    return found is not None and found[0].mark == mark and found[0].wants(rule) and _counts(*found)


def _counts(recipient: Recipient, user: User | None) -> bool:
    """Whether they have agreed, and where they are a user, are an active one who is still what they agreed as."""
    if recipient.confirmed_at is None or user is None:
        return recipient.confirmed_at is not None and recipient.user_id is None
    return user.active and not is_former_admin(recipient, user)


def is_former_admin(recipient: Recipient, user: User | None) -> bool:
    """Whether they agreed as an admin and are none any more."""
    return user is not None and recipient.as_admin and user.role != Role.ADMIN


def deliverable(rule: Rule) -> list[Told]:
    """Who is told of one rule."""
    return audience()[rule]


def _told_as(recipient: Recipient, user: User | None) -> Told:
    if user is None:
        return Told(recipient.email or "", "", recipient.locale, recipient.mark)
    return Told(user.email, user.name, user.locale or recipient.locale, recipient.mark)


class Outlook(NamedTuple):
    """How the calls are used, and how long they last."""

    days: list[date]
    calls: list[int]
    """Calls that were or may have been charged on each of `days`, today last."""
    stock: list[Stock]
    """Of all lots that have not ended, also those that begin later, in the order of use."""
    demand: Demand | None
    forecast: Forecast | None

    @property
    def today(self) -> date:
        """The day of which it is."""
        return self.days[-1]

    @property
    def calls_a_day(self) -> float:
        """What the forecast expects of a whole day ahead, on average; 0 where nobody can tell yet."""
        likely = self.demand.likely if self.demand is not None else ()
        return (likely[-1] - likely[0]) / (len(likely) - 1) if len(likely) > 1 else 0.0


def outlook(now: datetime, zone: ZoneInfo) -> Outlook:
    """The last 30 days, and the forecast from the last 400."""
    today = day_of(now, zone)
    days = [today - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
    used, demand = usage.expected(today, zone)
    stock = [
        Stock(lot.id, lot.expires_on, lot.available, lot.name, lot.bought_on, turn, lot.calls)
        for turn, lot in enumerate(quota.open_lots(today))
    ]
    return Outlook(days, [used[day] for day in days], stock, demand, forecasting.forecast(stock, demand))
