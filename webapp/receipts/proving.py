"""Whether a paper is true: its number, the person and its printed code are entered again, by an auditor or the holder.

One answer for whatever is wrong. Each wrong try counts against the network it comes from and against the receipt
number, whether there is such a receipt or not. The trail keeps that a receipt was asked about, never the person: not
even as a fingerprint, which would outlive an erasure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select

from webapp.audit.trail import Action, Who, append
from webapp.foundation import throttling
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import CannotOpen
from webapp.receipts import commitment, operations, paper, queries
from webapp.receipts.commitment import Facts, Secret
from webapp.receipts.models import Receipt, ReceiptFailure

WINDOW = timedelta(minutes=15)
NETWORK_FREE = 10
"""Wrong tries from one network in `WINDOW` before the next one must wait."""
NUMBER_FREE = 30
"""As `NETWORK_FREE`, for one receipt number from anywhere."""


class Answer(StrEnum):
    """What a try came to."""

    TRUE = "true"
    NOT_CONFIRMED = "not_confirmed"
    UNDECIDED = "undecided"
    """The key that the receipt was made under is not here: it is neither confirmed nor denied."""
    WAIT = "wait"


class Proof(NamedTuple):
    """The answer; `receipt` where it is true, `wait` (seconds) where too many tries were wrong."""

    answer: Answer
    receipt: Receipt | None = None
    wait: int = 0


def prove(number: str, secret: Secret, who: Who, instance: Instance, now: datetime) -> Proof:
    """Compares what was entered (normalised) with the receipt, records the try and counts a wrong one."""
    network = throttling.network(who.address)
    seconds = _wait(network, number, now)
    if seconds:
        return Proof(Answer.WAIT, wait=seconds)
    with transaction() as session:
        receipt = queries.by_number(number)
        answer = _compare(receipt, number, secret, instance, now)
        if answer != Answer.TRUE:
            session.add(ReceiptFailure(at=now, network=network, number=number))
        append(
            who, Action.RECEIPT_CHECKED, now, on=("verification", receipt.verification_id if receipt else None),
            success=answer == Answer.TRUE, receipt=paper.grouped(number) if receipt else "", answer=answer,
        )  # fmt: skip
        return Proof(answer, receipt if answer == Answer.TRUE else None)


def forget_failures(now: datetime) -> bool:
    """Drops wrong tries that no throttle counts any more; False: nothing is left to do."""
    with transaction() as session:
        session.execute(delete(ReceiptFailure).where(ReceiptFailure.at < now - 2 * WINDOW))
    return False


def _compare(receipt: Receipt | None, number: str, secret: Secret, instance: Instance, now: datetime) -> Answer:
    if receipt is None:
        # As much work as for a receipt that is there.
        key = operations.key_of(instance.sealer.sealing, instance.sealer)
        commitment.holds(bytes(32), Facts(number, "", "", now), secret, key)
        return Answer.NOT_CONFIRMED
    try:
        return Answer.TRUE if operations.holds(receipt, secret, instance) else Answer.NOT_CONFIRMED
    except CannotOpen:
        return Answer.UNDECIDED


def _wait(network: str, number: str, now: datetime) -> int:
    limits: tuple[tuple[ColumnElement[bool], int], ...] = (
        (ReceiptFailure.network == network, NETWORK_FREE),
        (ReceiptFailure.number == number, NUMBER_FREE),
    )
    waits = []
    for condition, free in limits:
        query = select(func.count(), func.max(ReceiptFailure.at)).where(condition, ReceiptFailure.at > now - WINDOW)
        failures, last = db.session.execute(query).one()
        waits.append(throttling.wait(failures, last, free, WINDOW, now))
    return max(waits)
