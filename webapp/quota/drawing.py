"""Which lot the next call is taken from: the valid ones, in the order that is set."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from webapp.audit.trail import Action, Who, append
from webapp.foundation import runtime
from webapp.foundation.instance import this_instance
from webapp.quota.models import Lot
from webapp.quota.rules import DrawOrder

DRAW_ORDER = "YULIANG_DRAW_ORDER"
COLUMNS: dict[DrawOrder, tuple[InstrumentedAttribute[date], ...]] = {
    DrawOrder.EXPIRY: (Lot.expires_on, Lot.bought_on),
    DrawOrder.PURCHASE: (Lot.bought_on, Lot.expires_on),
}


def valid_on(today: date | BindParameter[date]) -> tuple[ColumnElement[bool], ...]:
    """What makes a lot one that calls are drawn from on that day, as long as it has any."""
    return Lot.expires_on >= today, Lot.bought_on <= today, Lot.closed_at.is_(None)


def order() -> DrawOrder:
    """The order in force."""
    instance = this_instance()
    return DrawOrder(runtime.value(DRAW_ORDER, instance.settings, instance.sealer))


def turns() -> tuple[InstrumentedAttribute[date] | InstrumentedAttribute[int], ...]:
    """By what lots are sorted so that the first with a call left is the next to be drawn from."""
    return *COLUMNS[order()], Lot.id


def switch(to: DrawOrder, who: Who, now: datetime) -> bool:
    """Sets the order in the caller's transaction, for the calls that are made from now on; False: it was so before."""
    before = order()
    if to is before:
        return False
    runtime.store(DRAW_ORDER, to, this_instance().sealer, now)
    append(who, Action.SETTING_CHANGED, now, setting=DRAW_ORDER, before=before, after=to)
    return True
