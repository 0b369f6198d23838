"""Pure: what becomes of a recipient's one message of an episode that stands. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

NOT_TOLD = "not_told"
COMES_BACK = frozenset({"removed", "not_wanted", NOT_TOLD})
"""Reasons of a drop that were the recipient's; over as soon as they are to be told again."""


class Told(Protocol):
    """Someone who is to be told: who they are, where, in which language."""

    @property
    def reader(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def locale(self) -> str: ...


class Written(Told, Protocol):
    """A message of the episode."""

    @property
    def id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Step(StrEnum):
    """What to do about a recipient's message."""

    NOTHING = "nothing"
    WRITE = "write"
    AGAIN = "again"
    """Let it wait again, for whom and where it is to go now."""


W = TypeVar("W", bound=Written)


def message_of(one: Told, told: Sequence[Told], written: Sequence[W]) -> W | None:
    """The message of `one` of those who are told: by who they are, or else one to their address that is nobody's.
    Who was removed and comes back is another recipient, but was told; whose address has changed, was told too."""
    own = next((message for message in written if message.reader == one.reader), None)
    if own is not None:
        return own
    others = {each.reader for each in told}
    return next((each for each in written if each.address == one.address and each.reader not in others), None)


def step(one: Told, mine: Written | None) -> Step:
    """Each is told once: what was sent stays so. What could not be delivered is tried again where it goes elsewhere
    now; what was dropped because they were not to be told comes back when they are."""
    if mine is None:
        return Step.WRITE
    moved = (mine.reader, mine.address) != (one.reader, one.address)
    match mine.state:
        case "dropped" if mine.reason in COMES_BACK:
            return Step.AGAIN
        case "queued" if moved or mine.locale != one.locale or mine.reason in COMES_BACK:
            return Step.AGAIN
        case "refused" | "failed" if moved:
            return Step.AGAIN
    return Step.NOTHING


def off_the_list(told: Sequence[Told], written: Sequence[Written]) -> list[str]:
    """Readers for whom a message waits and who are not to be told any more."""
    readers = {one.reader for one in told}
    return [message.reader for message in written
            if message.state == "queued" and message.reader and message.reader not in readers]  # fmt: skip
