"""Pure: whether an answer of the vendor costs a call, by dated rules over the vendor's own table. No I/O.

An answer is named by its respCode, by `other` where HTTP 200 brought none that is known, else by its cause. Rules are
only added: what was charged for a call is decided by the rule in force when it was made. Source of the defaults:
vendor.md sections 1 and 2 (`webapp/vendor/codes.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from webapp.vendor import codes
from webapp.vendor.contract import Billed, Cause, Outcome, Reply

OTHER = "other"

REFUSALS: tuple[codes.Row, ...] = (
    *dict.fromkeys((*codes.GATEWAY_CODES.values(), *codes.GATEWAY_MESSAGES.values())),
    codes.NO_ANSWER, codes.BACKEND_STATUS, codes.STRANGE_REFUSAL,
)  # fmt: skip
"""Answers that carry no respCode. A call that never left, or whose process died, is no answer."""

DEFAULTS: Mapping[str, Billed] = {
    **{code or OTHER: billed for code, billed in codes.DEDUCTED.items()},
    **{str(row.cause): row.billed for row in REFUSALS},
}
"""Every answer there is, and what it costs unless a rule says otherwise."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From `effective_from` on, `answer` costs a call, costs none, or nobody knows; of several the last one added."""

    answer: str
    billed: Billed
    effective_from: datetime


def answer_of(reply: Reply) -> str:
    """Which key of `DEFAULTS` a reply falls under; '' for a call that no rule is about."""
    if reply.cause in (Cause.NETWORK, Cause.ABANDONED):
        return ""
    if reply.outcome == Outcome.UNEXPECTED and reply.http_status == 200:
        return OTHER
    return reply.code if reply.code in codes.RESP_CODES else str(reply.cause or "")


def in_force(rules: Iterable[Rule], at: datetime) -> dict[str, Rule]:
    """The rule that decides for a call made at `at`, by answer. `rules` in the order in which they were added."""
    found: dict[str, Rule] = {}
    for rule in rules:
        older = found.get(rule.answer)
        if rule.effective_from <= at and (older is None or older.effective_from <= rule.effective_from):
            found[rule.answer] = rule
    return found


def billed(reply: Reply, rules: Iterable[Rule], made_at: datetime) -> Billed:
    """Whether the call that was made at `made_at` and got this reply cost one."""
    rule = in_force(rules, made_at).get(answer_of(reply))
    return reply.billed if rule is None else rule.billed
