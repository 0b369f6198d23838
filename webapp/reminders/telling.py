"""Pure: what becomes of a recipient's one message of an episode that stands. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from webapp.notify.retrying import NO_MAILBOX, SERVER

NOT_TOLD = "not_told"
COMES_BACK = frozenset({"removed", "not_wanted", NOT_TOLD, "emptied", "lot_closed", "moved", "not_yet", "too_late"})
"""Reasons of a drop that were the recipient's, over as soon as they are to be told again; or those of an episode that
was over and stands again."""
REST = timedelta(days=1)
"""What was refused or given up comes back after so long even where nobody knows that what was wrong is mended: some
hosts say of a limit of the hour that it is for good."""
REST_FOR = timedelta(days=7)
"""So long after it was written what is a recipient's own trouble comes back: then it will not pass by itself."""


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
    @property
    def created_at(self) -> datetime: ...
    @property
    def finished_at(self) -> datetime | None: ...


class Step(StrEnum):
    """What to do about a recipient's message."""

    NOTHING = "nothing"
    WRITE = "write"
    AGAIN = "again"
    """Let it wait again, for whom and where it is to go now."""


W = TypeVar("W", bound=Written)


@dataclass(frozen=True, slots=True)
class Known(Generic[W]):
    """The messages of an episode, found at once however many there are."""

    of_reader: dict[str, W]
    nobodys: dict[str, W]
    """By address: those of readers who are not told any more."""


def known(told: Sequence[Told], written: Sequence[W]) -> Known[W]:
    """What was written, the oldest message of each first."""
    readers, oldest_last = {one.reader for one in told}, written[::-1]
    of_reader = {message.reader: message for message in oldest_last}
    return Known(of_reader, {each.address: each for each in oldest_last if each.reader not in readers})


def message_of(one: Told, known: Known[W]) -> W | None:
    """The message of `one` of those who are told: by who they are, or else one to their address that is nobody's.
    Who was removed and comes back is another recipient, but was told; whose address has changed, was told too."""
    return known.of_reader.get(one.reader) or known.nobodys.get(one.address)


def step(one: Told, mine: Written | None, now: datetime, well_since: datetime | None) -> Step:
    """Each is told once: what was sent stays so. What could not be delivered is tried again where it goes elsewhere
    now, a day later, or where it was the mail server's trouble, which may be over (`well_since`: when it was known to
    be so last); what was dropped because they were not to be told comes back when they are."""
    if mine is None:
        return Step.WRITE
    moved = (mine.reader, mine.address) != (one.reader, one.address)
    match mine.state:
        case "dropped" if mine.reason in COMES_BACK:
            return Step.AGAIN
        case "queued" if moved or mine.locale != one.locale or mine.reason in COMES_BACK:
            return Step.AGAIN
        case "refused" | "failed" if moved or _may_be_over(mine, now, well_since):
            return Step.AGAIN
    return Step.NOTHING


def next_look(mine: Written) -> datetime | None:
    """When what was refused or given up comes back at the latest, while its episode stands; None: not by itself."""
    lost_at = mine.finished_at or mine.created_at
    if mine.reason == NO_MAILBOX or (mine.reason != SERVER and lost_at + REST > mine.created_at + REST_FOR):
        return None
    return lost_at + REST


def _may_be_over(mine: Written, now: datetime, well_since: datetime | None) -> bool:
    look, lost_at = next_look(mine), mine.finished_at
    if mine.reason != NO_MAILBOX and (lost_at is None or lost_at - now >= REST):
        return True  # lost by a clock that was ahead by more than that
    if look is None or lost_at is None:
        return False
    if now - lost_at >= REST:
        return True
    return mine.reason == SERVER and well_since is not None and lost_at <= well_since <= now


def off_the_list(told: Sequence[Told], written: Sequence[Written]) -> list[str]:
    """Readers for whom a message waits and who are not to be told any more."""
    readers = {one.reader for one in told}
    return [message.reader for message in written
            if message.state == "queued" and message.reader and message.reader not in readers]  # fmt: skip
