"""`yuliang purge`: lets go at once of what is older than it may be, instead of tonight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from webapp.audit.trail import SYSTEM
from webapp.foundation.instance import Instance
from webapp.retention import copies, purging
from webapp.retention.models import PurgeRun
from webapp.retention.rules import Kind

WORDS = {
    Kind.IDENTITY: "identities",
    Kind.FACTS: "facts of verifications",
    Kind.OUTBOX: "messages",
    Kind.VIEWS: "saved views",
    Kind.AUDIT: "records of the audit trail",
}


def purge(instance: Instance, clock: Callable[[], datetime]) -> tuple[list[str], list[str]]:
    """Purges every class to its end; what was done in words, and what stood in the way."""
    removed = copies.remove_old(clock())
    runs = purging.purge_now(SYSTEM, instance, clock)
    faults = [f"{WORDS[Kind(run.kind)]}: kept as evidence, for the trail is not as it was sealed: run "
              "`yuliang verify-audit`" for run in runs if run.fault]  # fmt: skip
    told = [_told(run) for run in runs if not run.fault]
    return told + ([f"Copies of before migrations that were removed: {removed}."] if removed else []), faults


def _told(run: PurgeRun) -> str:
    why = "not as they were sealed: run `yuliang verify-audit`" if run.kind == Kind.AUDIT else "held, or not settled"
    spared = f", {run.spared} kept ({why})" if run.spared else ""
    return f"{run.removed} {WORDS[Kind(run.kind)]} from before {run.before:%Y-%m-%d %H:%M} UTC were destroyed{spared}."
