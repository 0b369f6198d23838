"""What `yuliang health` says beside the reminders: machines without a key, seals that do not come, what the
purge left of the trail, and a purge that does not come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import gettext as _

from webapp.audit import gaps, heads, retention
from webapp.foundation import leases
from webapp.foundation.instance import Instance
from webapp.retention import purging
from webapp.retention.texts import KINDS

SEALED_WITHIN = timedelta(minutes=1)


def faults(instance: Instance, now: datetime) -> list[str]:
    """One line for each; empty: all is well. Reads only."""
    return [*_keys(), *_seals(instance, now), *_left(), *_purges(instance, now)]


def _keys() -> Iterator[str]:
    for machine, lacking in leases.lacking():
        yield _("The machine %(machine)s lacks a key, and answers nothing: %(lacking)s.", machine=machine,
                lacking=lacking)  # fmt: skip


def _seals(instance: Instance, now: datetime) -> Iterator[str]:
    since = heads.waiting_since(instance.keys)
    if since is not None and now - since > SEALED_WITHIN:
        yield _("Records of the audit trail since %(time)s UTC are not sealed: is a worker running?",
                time=f"{since:%Y-%m-%d %H:%M:%S}")  # fmt: skip


def _left() -> Iterator[str]:
    if left := retention.left_out():
        yield _("Old segments of the audit trail stayed, for they are not as sealed: %(segments)s. "
                "yuliang verify-audit says why.",
                segments=gaps.numbers(left))  # fmt: skip


def _purges(instance: Instance, now: datetime) -> Iterator[str]:
    for kind in purging.overdue(instance, now):
        yield _("The purge is overdue: %(what)s. Is a worker running?", what=KINDS[kind])
