"""The admin's table of what an answer costs: reading it, and adding to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, must_write
from webapp.quota import deduction_rules
from webapp.quota.deduction_rules import Rule
from webapp.quota.models import DeductionRule
from webapp.vendor.contract import Billed, Reply


class InThePast(Exception):
    """The rule would change what calls were charged at that have been made already; nothing was stored."""


def all_rules() -> Sequence[DeductionRule]:
    """Every rule, the first added first."""
    return db.session.scalars(select(DeductionRule).order_by(DeductionRule.id)).all()


def as_rules(rows: Sequence[DeductionRule]) -> list[Rule]:
    """As the pure part reads them."""
    return [Rule(row.answer, Billed(row.billed), row.effective_from) for row in rows]


_ABOUT = select(DeductionRule).where(DeductionRule.answer == bindparam("given")).order_by(DeductionRule.id)


def billed(reply: Reply, made_at: datetime) -> Billed:
    """Whether a call that was made then and got this reply cost one."""
    rows = db.session.scalars(_ABOUT, {"given": deduction_rules.answer_of(reply)}).all()
    return deduction_rules.billed(reply, as_rules(rows), made_at)


def change(rule: Rule, reason: str, who: Who, now: datetime) -> None:
    """Adds a rule in the caller's transaction. Raises `InThePast`."""
    if rule.answer not in deduction_rules.DEFAULTS:
        raise ValueError(f"{rule.answer} is no answer of the vendor's")
    if rule.effective_from < now:
        raise InThePast
    row = DeductionRule(
        answer=rule.answer, billed=rule.billed, effective_from=rule.effective_from, reason=reason,
        recorded_at=now, actor_id=who.user_id,
    )  # fmt: skip
    must_write().add(row)
    must_write().flush()
    append(who, Action.DEDUCTION_CHANGED, now, on=("deduction", row.id), answer=rule.answer, billed=rule.billed,
           effective_from=rule.effective_from.isoformat(), reason=reason)  # fmt: skip
