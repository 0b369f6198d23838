"""Issuing receipts, once for each result, when the first is asked for: most results never need one.

What is issued never changes: outcome, time and person of a conclusion are final, and the unit's name is kept as it was.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum

from webapp.accounts.models import User
from webapp.audit.trail import Action, Who, append
from webapp.foundation import runtime
from webapp.foundation.database import insert_once, insert_rows, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.redaction import conceal
from webapp.foundation.sealing import CannotOpen, Sealer
from webapp.receipts import commitment, paper, queries
from webapp.receipts.commitment import NUMBER_BITS, NUMBER_SIZE, SALT_BYTES, Facts, Secret
from webapp.receipts.models import Receipt, ReceiptSalt
from webapp.vendor.contract import Outcome
from webapp.verification import identities
from webapp.verification.models import Reuse, Verification

CONCLUSIONS = frozenset({Outcome.MATCH, Outcome.MISMATCH, Outcome.NO_SUCH_NUMBER})
"""What says something about the person; nothing else has a receipt."""
KEY = "receipt commitment"
KEPT = "receipt_key:"
"""Settings under which the keys of receipts are kept, with the id of the data key that each comes from."""


class Condition(StrEnum):
    """Whether a receipt can still be proven by its paper."""

    SOUND = "sound"
    ERASED = "erased"
    """By a paper that was printed before; another cannot be printed."""
    CHANGED = "changed"
    """What is stored is not what was committed to: somebody changed it."""
    KEY_GONE = "key_gone"


class NothingToProve(Exception):
    """The result is no conclusion about the person: nothing was issued."""


class IdentityGone(Exception):
    """The person was erased before a receipt was asked for: nothing was issued."""


def issue(verification_id: int, who: Who, instance: Instance, now: datetime) -> str:
    """The number of a verification's receipt, issued where there was none. Raises `NothingToProve`, `IdentityGone`."""
    with transaction() as session:
        row = session.get(Verification, verification_id)
        if row is None:  # the fact has gone too since the page was shown
            raise IdentityGone
        return _issue(row, None, who, instance, now)


def issue_reused(reuse_id: int, who: Who, instance: Instance, now: datetime) -> str:
    """As `issue`, for a recent result that was shown again; also issues the original's, for it is cited."""
    with transaction() as session:
        reuse = session.get(Reuse, reuse_id)
        if reuse is None:
            raise IdentityGone
        _issue(reuse.verification, None, who, instance, now)
        return _issue(reuse.verification, reuse, who, instance, now)


def open_secret(receipt: Receipt, instance: Instance) -> Secret | None:
    """Person and salt of a receipt; None once the identity is gone. Raises `CannotOpen` under other keys."""
    sealed = queries.sealed_salt(receipt.number)
    person = identities.open_person(receipt.verification_id, instance.sealer)
    if sealed is None or person is None:
        return None
    salt = instance.sealer.open(sealed, _place(receipt.number))
    conceal(person.name, person.number, person.reference, commitment.write_salt(salt))
    return Secret(person.name, person.number, salt)


def holds(receipt: Receipt, secret: Secret, instance: Instance) -> bool:
    """Whether the receipt, as its rows are now, is about this. Raises `CannotOpen` where its key is gone."""
    key = key_of(receipt.key_id, instance.sealer)
    return commitment.holds(receipt.commitment, receipt.facts, secret, key)


def keep_keys(sealer: Sealer, now: datetime) -> None:
    """Keeps the receipts' own keys, sealed, in the caller's transaction: the data keys they come from may go then.

    Such a key tells nothing of the data key, and proves a receipt only together with its paper or its sealed salt.
    """
    for key_id in sealer.data_fingerprints():
        if runtime.stored(f"{KEPT}{key_id}", sealer) is None:
            runtime.store(f"{KEPT}{key_id}", sealer.derived(KEY, key_id).secret.hex(), sealer, now)


def key_of(key_id: str, sealer: Sealer) -> bytes:
    """The key that a receipt was made under. Raises `CannotOpen` where it is gone."""
    kept = runtime.stored(f"{KEPT}{key_id}", sealer)
    return sealer.derived(KEY, key_id).secret if kept is None else bytes.fromhex(kept)


def condition(receipt: Receipt, secret: Secret | None, instance: Instance) -> Condition:
    """What has become of a receipt; `secret` as `open_secret` gives it."""
    if secret is None:
        return Condition.ERASED
    try:
        return Condition.SOUND if holds(receipt, secret, instance) else Condition.CHANGED
    except CannotOpen:
        return Condition.KEY_GONE


def _issue(row: Verification, reuse: Reuse | None, who: Who, instance: Instance, now: datetime) -> str:
    while True:
        known = queries.of_verification(row.id) if reuse is None else queries.of_reuse(reuse.id)
        if known is not None:
            return known.number
        number = _store(row, reuse, instance, now)
        if number is not None:  # else another was quicker (or the number is taken): look again
            on = ("verification", row.id) if reuse is None else ("reuse", reuse.id)
            append(who, Action.RECEIPT_ISSUED, now, on=on, receipt=paper.grouped(number))
            return number


def _store(row: Verification, reuse: Reuse | None, instance: Instance, now: datetime) -> str | None:
    """The new receipt's number; None where the like of it stands already."""
    if row.outcome not in CONCLUSIONS:
        raise NothingToProve
    identities.lock([row.id])
    person = identities.open_person(row.id, instance.sealer)
    if person is None:
        raise IdentityGone
    conceal(person.name, person.number, person.reference)
    number = paper.write(secrets.randbits(NUMBER_BITS), NUMBER_SIZE)
    unit = runtime.value("YULIANG_UNIT_NAME", instance.settings, instance.sealer)
    facts = Facts(number, unit, row.outcome, row.created_at, reuse.at if reuse else None)
    secret = Secret(person.name, person.number, secrets.token_bytes(SALT_BYTES))
    key = instance.sealer.derived(KEY)
    stored = insert_once(
        Receipt, number=number, verification_id=row.id, reuse_id=reuse.id if reuse else None, issued_at=now, unit=unit,
        department_id=_department(row, reuse), key_id=key.id, commitment=commitment.digest(facts, secret, key.secret),
    )  # fmt: skip
    if not stored:
        return None
    sealed = instance.sealer.seal(secret.salt, _place(number))
    insert_rows(ReceiptSalt, {"number": number, "verification_id": row.id, "sealed": sealed})
    return number


def _department(row: Verification, reuse: Reuse | None) -> int | None:
    return row.department_id if reuse is None else must_write().get_one(User, reuse.operator_id).department_id


def _place(number: str) -> str:
    return f"receipt_salt:{number}"
