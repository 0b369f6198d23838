"""What the page /reminders shows, gathered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.foundation import leases
from webapp.foundation.clock import day_of
from webapp.foundation.instance import Instance, this_instance
from webapp.foundation.pages import day
from webapp.notify import composing, holding
from webapp.notify import queries as notify
from webapp.notify.channels import mail
from webapp.notify.channels.mail import Route
from webapp.notify.holding import Hold
from webapp.notify.messages import Attempt, State
from webapp.notify.outbox import RETRIED
from webapp.notify.queries import Chain
from webapp.quota import queries as quota
from webapp.reminders import coming, health, links, operations, queries, recipients, telling, texts
from webapp.reminders.models import Episode, Recipient
from webapp.reminders.operations import REVIEW_JOB, cause_of
from webapp.reminders.rules import Rule
from webapp.reminders.texts import JOBS, KINDS, REASONS, RULES, STAGES, STATES, TONES, VERDICTS, said

EPISODES, MESSAGES = 10, 30


def overview(instance: Instance, now: datetime, below: int | None) -> dict[str, Any]:
    """Rules with their state, what comes next, who is told, what was sent (only messages `below` a number, where one
    is given), and who does the work."""
    all_leases = leases.all_leases()
    known = {lease.name: lease for lease in all_leases}
    review = known.get(REVIEW_JOB)
    chains, hold = notify.newest(MESSAGES + 1, below=below), holding.standing()
    readers = _readers(now)
    return {
        "faults": health.faults(instance, now),
        "rules": _rules(review.due_at if review else None, day_of(now, instance.settings.zone)),
        "coming": coming.coming(queries.outlook(now, instance.settings.zone)),
        "episodes": _episodes(instance),
        "recipients": _recipients(),
        "messages": [message_row(chain, hold, now, readers) for chain in chains[:MESSAGES]],
        "hold": hold,
        "waiting": bool(notify.waiting(now)[0] or operations.lost(now)),
        "here_only": texts.here_only(links.base()) if links.opens_here_only() else "",
        "older": chains[MESSAGES - 1].message.id if len(chains) > MESSAGES else None,
        "newer": below is not None,
        "route": _route(instance),
        "accepted": notify.last_accepted(),
        "jobs": [{"name": name, "does": JOBS[name], "lease": known.get(name),
                  "busy": name in known and known[name].until is not None} for name in JOBS],
        "heartbeat": leases.heartbeat(all_leases, now),
    }  # fmt: skip


def _route(instance: Instance) -> Route | None:
    try:
        return mail.route(instance)
    except mail.Unreadable:
        return None


def _readers(now: datetime) -> dict[str, set[str]]:
    """Who is to be told of what is not over yet: readers by the cause of their messages."""
    audience, today = queries.audience(), day_of(now, this_instance().settings.zone)
    return {cause_of(one.id): {told.reader for told in audience[Rule(one.rule)]} for one in queries.to_be_told(today)}


def message_row(chain: Chain, hold: Hold | None, now: datetime, readers: dict[str, set[str]]) -> dict[str, Any]:
    """A message with every attempt, as a page shows it, and the newest one that is over. While its holder is believed
    alive, the last attempt is not over. `readers`: who is still to be told, by cause."""
    message, attempts = chain.message, [_attempt(one) for one in chain.attempts]
    trying = message.holder is not None and message.next_at > now and bool(attempts)
    if trying:
        attempts[-1] |= {"verdict": texts.TRYING, "tone": "warn"}
    over = attempts[:-1] if trying else attempts
    next_at: datetime | None = None
    if message.state == State.QUEUED and attempts:
        next_at = max(message.next_at, hold.until or now) if hold else message.next_at
    elif message.state in notify.LOST and message.reader in readers.get(message.cause, ()):
        next_at = telling.next_look(message)
    return {
        "id": message.id, "kind": KINDS.get(message.kind, message.kind), "address": message.address,
        "subject": message.subject, "body": message.body, "state": message.state, "state_label": STATES[message.state],
        "tone": TONES[message.state], "created_at": message.created_at, "finished_at": message.finished_at,
        "next_at": next_at, "trying": trying,
        "wire_id": message.wire_id, "flaw": message.flaw, "reason": REASONS.get(message.reason, message.reason),
        "attempts": attempts, "newest": over[-1] if over else None,
    }  # fmt: skip


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "started_at": one.started_at, "ended_at": one.ended_at, "verdict": VERDICTS[one.verdict],
        "tone": "good" if one.verdict == "accepted" else "neutral" if one.verdict is None else "bad",
        "stage": STAGES.get(one.stage, one.stage), "said": said(one.fault, one.code, one.words),
    }  # fmt: skip


def one_message(chain: Chain, now: datetime) -> dict[str, Any]:
    """A message on its own page: also whether it can be tried again, or why that would be pointless."""
    row, message = message_row(chain, holding.standing(), now, _readers(now)), chain.message
    may = message.state in RETRIED and not row["trying"]
    pointless = composing.pointless(message, now) if may else ""
    return row | {"can_retry": may and not pointless, "pointless": REASONS.get(pointless, pointless)}


def _rules(next_check: datetime | None, today: date) -> list[dict[str, Any]]:
    standing = {rule: [one for one in queries.open_episodes() if one.rule == rule] for rule in Rule}
    audience = queries.audience()
    figures = {Rule.LOW: _balance(today), Rule.EXPIRY: _next_end(today)}
    return [
        {"rule": rule.value, "label": RULES[rule], "standing": bool(standing[rule]), "next_check": next_check,
         "since": min((one.opened_at for one in standing[rule]), default=None), "figure": figures[rule],
         "told_to": [told.name or told.address for told in audience[rule]]}
        for rule in Rule
    ]  # fmt: skip


def _balance(today: date) -> str:
    supply = queries.supply(today)
    if not supply.total:
        return _("no lot is valid")
    return f"{supply.remaining:,}/{supply.total:,} = {supply.remaining * 100 // supply.total}%"


def _next_end(today: date) -> str:
    lots = quota.lots_ending(today, date.max)
    first = min((lot.expires_on for lot in lots if lot.available), default=None)
    if first is None:
        return _("no lot with calls is valid")
    left = sum(lot.available for lot in lots if lot.expires_on == first)
    return ngettext("next: %(left)s call ends on %(day)s", "next: %(left)s calls end on %(day)s", left,
                    left=f"{left:,}", day=day(first))  # fmt: skip


def _episodes(instance: Instance) -> list[dict[str, Any]]:
    found = queries.episodes(EPISODES)
    states = notify.states_of([cause_of(one.id) for one in found])
    return [
        {"id": one.id, "rule": RULES[one.rule], "what": _what(one), "opened_at": one.opened_at, "late": one.late,
         "closed_at": one.closed_at, "closed": REASONS.get(one.closed or ""),
         "messages": [(STATES[state], TONES[state], count) for state, count in states[cause_of(one.id)].items()]}
        for one in found
    ]  # fmt: skip


def _what(episode: Episode) -> str:
    left = f"{episode.remaining:,}"
    if episode.rule == Rule.LOW:
        return _("%(left)s of %(total)s calls left", left=left, total=f"{episode.total:,}")
    return _("%(left)s calls end on %(day)s", left=left, day=day(episode.ends_on))


def _recipients() -> list[dict[str, Any]]:
    return [
        {"id": one.id, "address": user.email if user else one.email, "name": user.name if user else "",
         "low": one.low, "expiry": one.expiry, "locale": one.locale, "own_language": bool(user and user.locale),
         "confirmed": one.confirmed_at is not None, "asked": one.asked_at is not None,
         "off": user is not None and not user.active, "lost_link": None if one.confirmed_at else _lost_link(one)}
        for one, user in queries.recipients()
    ]  # fmt: skip


def _lost_link(recipient: Recipient) -> dict[str, Any] | None:
    chain = recipients.lost_link(recipient)
    if chain is None:
        return None
    last = chain.attempts[-1] if chain.attempts else None
    refused = chain.message.state == State.REFUSED
    return {"label": _("the link was refused") if refused else _("the link was given up"),
            "said": said(last.fault, last.code, last.words) if last else ""}  # fmt: skip
