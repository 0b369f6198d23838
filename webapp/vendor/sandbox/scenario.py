"""What one documented situation is made of. Pure: no I/O."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from webapp.vendor.sandbox.answers import Recipe


class Section(StrEnum):
    """Who speaks: the heading a situation is listed under."""

    CODES = "codes"
    ODD = "odd"
    GATEWAY = "gateway"
    OLDER = "older"
    BACKEND = "backend"
    WIRE = "wire"
    SEQUENCE = "sequence"


class Manner(StrEnum):
    """How the answer travels, if it does."""

    PLAIN = "plain"
    SLOW = "slow"
    CHUNKED = "chunked"
    HANG = "hang"
    TRICKLE_HEAD = "trickle_head"
    TRICKLE_BODY = "trickle_body"
    CUT = "cut"
    HALF_CLOSE = "half_close"
    RESET = "reset"
    CLOSE = "close"
    GARBAGE = "garbage"
    LONG_HEADER = "long_header"


class Scenario(NamedTuple):
    """A name that makes the sandbox misbehave, whatever the number, and what a careful client makes of it.

    `outcome`, `billed` and `retry` are the reader's side, in the words of the result card: what the first
    submission must end in, whether it is known to be deducted (`yes`, `no`, `unknown`), whether the client
    may ask again by itself (`never`, `once`, `backoff`). `charged` is the vendor's side: is it deducted?
    `answer` is None where nothing is ever answered.
    """

    name: str
    section: Section
    zh: str
    en: str
    answer: Recipe | None
    outcome: str
    billed: str
    retry: str = "never"
    charged: bool = False
    manner: Manner = Manner.PLAIN
    first: Recipe | None = None
    """The answer to the first `times` requests with a number; then `answer`, then from the start again."""
    times: int = 0
    later: tuple[str, ...] = ()
    """Outcomes of the following submissions with the same number, where they differ."""

    @property
    def reaches_backend(self) -> bool:
        """Whether a used-up quota stops it: the gateway's own answers come before that."""
        return self.section not in (Section.GATEWAY, Section.OLDER)
