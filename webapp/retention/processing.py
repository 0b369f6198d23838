"""The record of processing that the law asks for (PIPL, articles 55 and 56): what this product knows of it.

What only the unit can say (why it is necessary, what risks it sees) is left to be filled in by hand.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.accounts import queries as accounts
from webapp.accounts.models import Role
from webapp.audit.standing import Standing, standings
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation import runtime
from webapp.foundation.clock import day_of, start_of
from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.foundation.keys import Keys
from webapp.foundation.pages import when
from webapp.retention import holds, periods, reach
from webapp.retention.reach import Reach
from webapp.retention.rules import Kind
from webapp.retention.texts import HOLDS_WHAT, KINDS
from webapp.settings import SANDBOX
from webapp.usage import daily
from webapp.usage.spans import Span
from webapp.verification.models import Purpose
from webapp.verification.texts import LEGAL_BASES

NOT_OURS = "not_ours"
AT_ONCE = 500
YEAR = timedelta(days=365)
COUNTED = (Action.PERSON_FOUND, Action.PERSON_EXPORTED, Action.PERSON_ERASED, Action.PERSON_REVEALED,
           Action.HOLD_PLACED, Action.HOLD_LIFTED)  # fmt: skip


class Record(NamedTuple):
    """The record, as lines of words."""

    unit: str
    made_at: str
    zone: str
    span: tuple[str, str]
    purposes: list[tuple[str, str, int, str]]
    kept: list[tuple[str, str, int]]
    vendor: str
    people: list[tuple[str, int]]
    done: dict[str, int]
    done_since: str
    trail: Reach
    holds: int


def describe(instance: Instance, locale: str, now: datetime) -> Record:
    """The record of the year up to today."""
    zone = instance.settings.zone
    last = day_of(now, zone)
    first = last - YEAR
    trail = reach.of_trail()
    since = trail.within(start_of(first, zone))
    return Record(
        unit=runtime.value("YULIANG_UNIT_NAME", instance.settings, instance.sealer), made_at=when(now),
        zone=instance.settings.timezone, span=(first.isoformat(), last.isoformat()),
        purposes=_purposes(Span(first, last), instance, locale),
        kept=[(str(KINDS[kind]), str(HOLDS_WHAT[kind]), periods.period(kind, instance).days) for kind in Kind],
        vendor=_vendor(instance), people=_people(), done=_done(since, instance.keys), done_since=when(since),
        trail=trail, holds=holds.standing(),
    )  # fmt: skip


def _purposes(span: Span, instance: Instance, locale: str) -> list[tuple[str, str, int, str]]:
    """Name, legal basis and calls of each purpose, and whether it is in use."""
    counted = daily.calls("purpose", span, instance.settings.zone)
    calls = Counter({purpose: sum(days) for (purpose,), days in counted.items()})
    rows = db.session.scalars(select(Purpose).order_by(Purpose.id))
    return [(row.name_in(locale), str(LEGAL_BASES[row.legal_basis]), calls[row.id],
             _("in use") if row.active else _("no longer used")) for row in rows]  # fmt: skip


def _vendor(instance: Instance) -> str:
    url = instance.settings.vendor_url
    return _("the sandbox: nothing is sent to anybody") if url == SANDBOX else str(urlsplit(url).hostname)


def _people() -> list[tuple[str, int]]:
    counted: Counter[Any] = Counter(user.role for user in accounts.users() if user.active)
    words = {Role.ADMIN: _("Admin"), Role.OPERATOR: _("Operator"), Role.AUDITOR: _("Auditor")}
    return [(words[role], counted[role]) for role in Role]


def _done(since: datetime, keys: Keys) -> dict[str, int]:
    """How often each act that concerns people's rights stands in the trail; records that are not ours stand apart."""
    acts = select(AuditRecord.id, AuditRecord.action).where(
        AuditRecord.action.in_(COUNTED), AuditRecord.at >= since, AuditRecord.success
    )
    rows = db.session.execute(acts).all()
    found = {action.value: 0 for action in COUNTED} | {NOT_OURS: 0}
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        standing = standings([row.id for row in some], keys)
        for row in some:
            is_ours = standing.get(row.id) in (Standing.OURS, Standing.AS_FOUND)
            found[row.action if is_ours else NOT_OURS] += 1
    return found
