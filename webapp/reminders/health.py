"""What stands between a reminder and its readers, in words; for the page, and for `yuliang health`."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.foundation import leases, runtime
from webapp.foundation.instance import Instance
from webapp.notify import queries as notify
from webapp.notify.channels import mail
from webapp.notify.sending import SEND_JOB
from webapp.reminders import queries
from webapp.reminders.operations import KINDS, REVIEW_JOB
from webapp.reminders.rules import Rule

WORKER_LATE = timedelta(seconds=60)
JOB_LATE = timedelta(minutes=5)


def faults(instance: Instance, now: datetime) -> list[str]:
    """Everything that keeps reminders from being found, sent or read; empty: all is well."""
    return [*_worker(now), *_route(instance), *_recipients(), *_outbox(now)]


def heartbeat() -> datetime | None:
    """When a worker last finished any job."""
    return max((lease.finished_at for lease in leases.all_leases() if lease.finished_at), default=None)


def _worker(now: datetime) -> list[str]:
    beat = heartbeat()
    if beat is None or now - beat > WORKER_LATE:
        text = _("No worker is running: nothing is checked or sent. Start `yuliang serve` or `yuliang worker`.")
        return [text]
    found = []
    for lease in leases.all_leases():
        if lease.name in (REVIEW_JOB, SEND_JOB):
            if lease.error:
                found.append(_("The job «%(job)s» failed the last time (%(kind)s); the log says more.", job=lease.name,
                               kind=lease.error))  # fmt: skip
            elif lease.finished_at is None or now - lease.finished_at > JOB_LATE:
                found.append(_("The job «%(job)s» has not finished for five minutes.", job=lease.name))
    return found


def _route(instance: Instance) -> list[str]:
    if mail.route(instance) is not None:
        return []
    if runtime.value("YULIANG_SMTP_URL", instance.settings, instance.sealer) is None:
        return [_("No mail server is set: mails are kept here and reach nobody.")]
    return [_("No sender is set (YULIANG_MAIL_FROM): mails are kept here and reach nobody.")]


def _recipients() -> list[str]:
    if not any(queries.deliverable(rule) for rule in Rule):
        return [_("Nobody is on the list of recipients, or nobody there has confirmed.")]
    return []


def _outbox(now: datetime) -> list[str]:
    stuck = notify.undelivered(tuple(KINDS.values()), now)
    if not stuck.count:
        return []
    return [
        ngettext(
            "%(num)s reminder mail could not be delivered.",
            "%(num)s reminder mails could not be delivered.",
            stuck.count,
        )
    ]
