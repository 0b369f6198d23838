"""Who tries too many names and numbers: counted from the audit trail, which has a fingerprint of each.

The search, "who looked for this person?" and the requests of a person share one count. A text that was tried within
the day costs nothing, however it is spelled. A request leaves no fingerprint of the person: one that found somebody is
known by the verification, one that found nobody, or another name with the number, counts each time.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from sqlalchemy import JSON, case, func, or_, select, type_coerce

from webapp.accounts.models import User
from webapp.audit.subjects import fingerprints
from webapp.audit.trail import Action, AuditRecord, Who
from webapp.foundation.clock import day_of
from webapp.foundation.database import must_write
from webapp.foundation.instance import Instance
from webapp.history import search_rules
from webapp.history.search_readings import Kind
from webapp.history.search_rules import COUNTED, DAY, MANY_IN_A_DAY, Try
from webapp.notify import notices

REFUSED = "too_many"
"""How the trail says why a search was refused."""

Mark = Hashable
"""What tells one text from others: a fingerprint, or the number of a verification."""


class TooManySearches(Exception):
    """The reader has tried as many names and numbers as one may: go on after `wait` seconds. It is recorded."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


def wait_for_texts(texts: Sequence[tuple[str, str]], who: Who, instance: Instance, now: datetime) -> int:
    """Seconds until this reader may look for these (kind and value), 0: now; auditors are told of very many. In the
    caller's transaction, which records the search or the refusal."""
    marks = [set(fingerprints(kind, value, instance.keys)) for kind, value in texts if kind in COUNTED]
    if not marks:
        return 0
    tries = _tries(who, now)
    return _wait(tries, all(one & tries.keys() for one in marks), who, instance, now)


def wait_for_person(verification_id: int | None, who: Who, instance: Instance, now: datetime) -> int:
    """The same for a request of somebody whose newest verification this is; None: there is none of this name."""
    tries = _tries(who, now)
    return _wait(tries, verification_id in tries, who, instance, now)


def _wait(tries: dict[Mark, Try], known: bool, who: Who, instance: Instance, now: datetime) -> int:
    """Told before this one counts: whether it finds somebody must not show in what is refused."""
    wait = 0 if known else search_rules.wait(tries.values(), now)
    count = search_rules.blind_within_a_day(tries.values(), now)
    if wait or count >= MANY_IN_A_DAY:
        day = day_of(now, instance.settings.zone).isoformat()
        notices.tell("auditor", "many_searches", f"many_searches:{who.user_id}:{day}", now, name=who.label, day=day,
                     count=len(tries))  # fmt: skip
    return wait


def _tries(who: Who, now: datetime) -> dict[Mark, Try]:
    """What this reader has tried within a day."""
    session = must_write()
    # Two searches of one reader come one after the other, so that the limit holds.
    session.execute(select(User.id).where(User.id == who.user_id).with_for_update())
    record, detail = AuditRecord, type_coerce(AuditRecord.detail, JSON)
    mine = record.actor_id == who.user_id, record.at > now - DAY, record.success
    kind, blind = detail["kind"].as_string(), detail["found"].as_boolean().is_(False)
    counts = func.max(case((or_(blind, kind == Kind.LAST_FOUR), 1), else_=0))
    searched = record.action.in_((Action.HISTORY_SEARCHED, Action.LOOKS_VIEWED)), kind.in_(COUNTED)
    texts = select(record.subject, func.max(record.at), counts).where(*mine, *searched).group_by(record.subject)
    found: dict[Mark, Try] = {subject: (at, bool(one)) for subject, at, one in session.execute(texts)}
    requests = select(record.id, record.object_id, record.at, blind).where(*mine, record.action == Action.PERSON_FOUND)
    for number, verification_id, at, nobody in session.execute(requests.order_by(record.id)):
        found[("nobody", number) if nobody else verification_id] = at, bool(nobody)
    return found
