"""What an answer does to the circuit, and who is told of it."""

from __future__ import annotations

from datetime import datetime

from webapp.audit.trail import SYSTEM, Action, Who, append
from webapp.foundation.database import transaction
from webapp.notify import notices
from webapp.vendor import circuit
from webapp.vendor.circuit import Turn
from webapp.vendor.contract import Reply


def heed(reply: Reply, verification_id: int, now: datetime) -> None:
    """Opens, prolongs or closes the circuit, in the transaction of the outcome and before the ledger moves."""
    turn = circuit.heed(reply, verification_id, now)
    if turn is Turn.OPENED:
        cause = str(reply.cause or reply.outcome)
        append(SYSTEM, Action.CALLS_STOPPED, now, on=("verification", verification_id), cause=cause)
        if reply.stop is not None and reply.stop.seconds is None:
            notices.tell("admin", "calls_stop", f"stop:{cause}:{now:%Y-%m-%d}", now, cause=cause)
    elif turn is Turn.CLOSED:
        append(SYSTEM, Action.CALLS_RESUMED, now, on=("verification", verification_id))
        notices.withdraw("stop:")


def ask_for_probe(who: Who, now: datetime) -> bool:
    """An admin lets the next submission through; False where calls are not stopped."""
    with transaction():
        cause = circuit.ask_for_probe()
        if cause:
            append(who, Action.PROBE_ASKED, now, cause=cause)
    return cause != ""
