"""The audit records of a made-up year: sealed as they will be stored, without a stamp, before they are.

Each is put together in the database from what is staged (`derived.records`); here are only its bytes for the seals,
most of which many records share. `yuliang verify-audit` compares both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import count

from webapp.audit import chain
from webapp.demo.orders import Orders
from webapp.demo.outcomes import KINDS
from webapp.demo.rows import Seals, Settled

SENT, FINISHED, SETTLED = "verification_sent", "verification_finished", "unknown_settled"
"""As `audit.trail.Action` names them."""
MOST = 5_000
"""Records of a segment."""


def sent_detail(purpose_id: int) -> str:
    """What the trail keeps of an intent."""
    return json.dumps({"purpose": purpose_id})


def finished_detail(kind: int) -> str:
    """What the trail keeps of an answer."""
    one = KINDS[kind]
    return json.dumps({"outcome": one.outcome, "billed": one.billed, "cause": one.cause})


class Records:
    """Gives records their numbers, from the first of the orders on, and seals them."""

    def __init__(self, orders: Orders, secret: bytes) -> None:
        self._secret, self._orders, self._next = secret, orders, orders.first_record
        self._waiting: list[bytes] = []
        names = {one.id: one.name for one in orders.operators}
        self._sent = {of: _head(of, name, SENT) for of, name in names.items()}
        self._finished = {of: _head(of, name, FINISHED) for of, name in names.items()}
        self._purposes = {use.id: _tail(sent_detail(use.id)) for use in orders.purposes}
        self._answers = [_tail(finished_detail(kind)) for kind in range(len(KINDS))]

    def leave_out(self, records: int) -> None:
        """So many numbers come next that operations give to records of their own."""
        self._next += records

    def settled(self, rows: Iterable[Settled]) -> None:
        """An admin settled these."""
        head = _head(self._orders.admin_id, self._orders.admin, SETTLED)
        for one in rows:
            at, on = chain.values([one.at]), chain.values([one.verification_id])
            self._waiting.append(at + head + on + _tail(one.detail))

    def calls(
        self, ids: Sequence[int], begun: Sequence[str], ended: Sequence[str], operators: Sequence[int],
        purposes: Sequence[int], kinds: Sequence[int], order: Iterable[int],
    ) -> None:  # fmt: skip
        """Calls of one day, by column. `order` is that of time: twice a call's place, and one more for its answer."""
        about = [b"i%d:%d" % (len(str(number)), number) for number in ids]
        sent, finished, asked, answers = self._sent, self._finished, self._purposes, self._answers
        both = [b""] * (2 * len(about))
        both[::2] = [
            b"s26:%b%b%b%b" % (at.encode(), sent[by], on, asked[use])
            for at, by, on, use in zip(begun, operators, about, purposes, strict=True)
        ]
        both[1::2] = [
            b"s26:%b%b%b%b" % (at.encode(), finished[by], on, answers[kind])
            for at, by, on, kind in zip(ended, operators, about, kinds, strict=True)
        ]
        self._waiting += [both[place] for place in order]

    def seal(self) -> list[Seals]:
        """The seals of all that came since they were made last."""
        made = []
        for start in range(0, len(self._waiting), MOST):
            some = self._waiting[start : start + MOST]
            content, marks = chain.seals_encoded(self._secret, zip(count(self._next), some))
            made.append(Seals(self._next, self._next + len(some) - 1, len(some), content, marks))
            self._next += len(some)
        self._waiting = []
        return made


def _head(actor_id: int, actor: str, action: str) -> bytes:
    return chain.values([actor_id, actor, action, "verification"])


def _tail(detail: str) -> bytes:
    """From whether it succeeded to whom it is about."""
    return chain.values([1, "", "", detail, None])
