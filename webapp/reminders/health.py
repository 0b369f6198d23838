"""What stands between a reminder and its readers, in words; for every page that admins see, and `yuliang health`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.foundation import leases
from webapp.foundation.clock import day_of
from webapp.foundation.instance import Instance
from webapp.foundation.leases import Lease
from webapp.notify import queries as notify
from webapp.notify.channels import mail
from webapp.notify.messages import State
from webapp.notify.sending import SEND_JOB
from webapp.reminders import links, queries, texts
from webapp.reminders.operations import REVIEW_JOB, Audience, cause_of
from webapp.reminders.rules import KINDS, Rule

WORKER_LATE = timedelta(seconds=60)
JOB_LATE = timedelta(minutes=5)


class Fault(NamedTuple):
    """One thing that is wrong: `danger` where the chain is broken, `warning` where it is not set up."""

    level: str
    text: str


def faults(instance: Instance, now: datetime) -> list[Fault]:
    """Everything that keeps reminders from being found, sent or read; empty: all is well. Reads only."""
    known, audience = leases.all_leases(), queries.audience()
    broken = (*_worker(known, now), *_outbox(audience, instance, now), *_untold(audience))
    unset = (*_route(instance), *_recipients(audience))
    return [Fault("danger", text) for text in broken] + [Fault("warning", text) for text in unset]


def _worker(known: list[Lease], now: datetime) -> list[str]:
    beat = leases.heartbeat(known, now)
    if beat is None or now - beat > WORKER_LATE:
        text = _("No worker is running: nothing is checked or sent. Start `yuliang serve` or `yuliang worker`.")
        return [text]
    found = []
    for lease in known:
        if lease.name in (REVIEW_JOB, SEND_JOB):
            job, finished = texts.JOBS[lease.name], leases.finished(lease, now)
            if lease.error:
                found.append(_("The job «%(job)s» failed the last time (%(kind)s); the log says more.", job=job,
                               kind=lease.error))  # fmt: skip
            elif finished is None or now - finished > JOB_LATE:
                found.append(_("The job «%(job)s» has not finished for five minutes.", job=job))
    return found


def _route(instance: Instance) -> list[str]:
    try:
        if mail.route(instance) is not None:
            return [texts.here_only(links.base())] if links.opens_here_only() else []
        if mail.stored_server(instance) is None:
            return [_("No mail server is set: mails are kept here and reach nobody.")]
    except mail.Unreadable:
        return [str(texts.UNREADABLE)]
    return [_("No sender is set (YULIANG_MAIL_FROM): mails are kept here and reach nobody.")]


def _recipients(audience: Audience) -> list[str]:
    if not any(audience.values()):
        return [_("Nobody is on the list of recipients, or nobody there has confirmed.")]
    return [
        _("Nobody is told of this: %(rule)s.", rule=texts.KINDS[KINDS[rule]]) for rule in Rule if not audience[rule]
    ]


def _untold(audience: Audience) -> list[str]:
    """Rules whose time has come while nobody is on their list."""
    if all(audience[rule] for rule in Rule):
        return []
    standing = [one for one in queries.open_episodes() if not audience[one.rule]]
    states = notify.states_of([cause_of(one.id) for one in standing])
    due = {one.rule for one in standing if not states[cause_of(one.id)].get(State.SENT)}
    said = (texts.KINDS[KINDS[rule]] for rule in Rule if rule in due)
    return [_("It is time, and nobody has been told: %(rule)s.", rule=rule) for rule in said]


def _outbox(audience: Audience, instance: Instance, now: datetime) -> list[str]:
    """Reminders that wait for long, and what was refused or given up of episodes that are still to be told: it stays a
    fault until it is delivered, its recipient is off the list, or it would be pointless."""
    standing = queries.to_be_told(day_of(now, instance.settings.zone))
    stuck = notify.overdue(tuple(KINDS.values()), now)
    for rule in Rule:
        causes = [cause_of(one.id) for one in standing if one.rule == rule]
        stuck += notify.lost(causes, [one.reader for one in audience[rule]]) if causes else 0
    flawed = notify.flawed([cause_of(one.id) for one in standing], now) if standing else 0
    found = []
    if stuck:
        found.append(ngettext("%(num)s reminder mail could not be delivered.",
                              "%(num)s reminder mails could not be delivered.", stuck))  # fmt: skip
    if flawed:
        found.append(ngettext("%(num)s reminder mail could not be written in full and went out in short form.",
                              "%(num)s reminder mails could not be written in full and went out in short form.",
                              flawed))  # fmt: skip
    return found
