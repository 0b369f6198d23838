"""The verifier: reads the whole trail against its seals, and says in plain words what is not as it was sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from webapp.audit import chain, gaps, stored
from webapp.audit.gaps import Gap, Point
from webapp.audit.sealer import secrets_of
from webapp.audit.stamps import is_stamped
from webapp.audit.stored import Record, Segment
from webapp.audit.trail import Action
from webapp.foundation.database import snapshot
from webapp.foundation.keys import Keys

Tell = Callable[[str], None]
HIGHEST = 2**63 - 1
"""No record has a higher number."""
NOT_OURS = "does not carry our stamp: it was inserted, copied, or changed before it was sealed."


@dataclass(slots=True)
class AsFound:
    """Records that were sealed without having been stamped before: nobody knows whether they were written as they
    stand. `since` and `until`: when the first and the last of their segments were sealed."""

    first_id: int
    last_id: int
    since: str
    until: str


@dataclass(slots=True)
class Verdict:
    """What was read. `faults`: how many were told; `head`: seal of the newest segment as hexadecimal digits;
    `as_found`: of what nothing is proven but that it stood so when it was sealed;
    `left`: what the purge left where it dropped all around, for it was not sound then."""

    records: int = 0
    segments: int = 0
    unsealed: int = 0
    unsealed_since: str = ""
    head: str = ""
    faults: int = 0
    as_found: list[AsFound] = field(default_factory=list)
    left: list[Gap] = field(default_factory=list)


def verify(keys: Keys, tell: Tell, expected_head: str = "") -> Verdict:
    """Tells every fault of the trail, and whether `expected_head`, a head of any former time, is still in the chain.

    Reads one instant, in the memory of one segment, while others go on appending and sealing.
    """
    with snapshot():
        return _Walk(keys, tell, expected_head).all()


class _Walk:
    """One reading, from the beginning to the end. What an unsound segment or checkpoint says is believed of nothing."""

    def __init__(self, keys: Keys, tell: Tell, expected_head: str) -> None:
        self.keys, self.secrets, self._tell, self._missed = keys, secrets_of(keys), tell, expected_head
        self.verdict = Verdict()
        self.number, self.seal = 0, chain.GENESIS
        self.last_id: int | None = None
        self.sound = True
        """Whether `number`, `last_id` and `seal` are those of the segment just before."""
        self.records = stored.records()
        self.next: Record | None = next(self.records, None)
        self.checkpoint: stored.Checkpoint | None = None
        self.gap: Gap | None = None
        """What was left among what was dropped, and is being read."""
        self.gaps: Iterator[Gap] = iter(())

    def all(self) -> Verdict:
        self._start()
        for segment in stored.segments():
            self.verdict.segments += 1
            while self.gap is not None and segment.number > self.gap.last:
                self._leave(self.gap)
            self._take(segment)
        while self.gap is not None:
            self._leave(self.gap)
        self._finish()
        return self.verdict

    def tell(self, fault: str) -> None:
        self.verdict.faults += 1
        self._tell(fault)

    def _start(self) -> None:
        found = list(stored.checkpoints())
        if len(found) > 1:
            self.tell("More than one checkpoint stands: one was inserted.")
        for checkpoint in found[-1:]:
            if self._sealed_as("The checkpoint", chain.CHECKPOINT, checkpoint):
                self.checkpoint, self.verdict.left = checkpoint, gaps.unpack(checkpoint.left_out)
                self.gaps = iter(self.verdict.left)
                self._go_on()
            else:
                self.sound = False

    def _go_on(self) -> None:
        """Goes on at the next gap in what was dropped, then behind all of it."""
        checkpoint, self.gap = self.checkpoint, next(self.gaps, None)
        if checkpoint is None:
            return
        at = self.gap.start if self.gap else Point(checkpoint.number, checkpoint.last_id, checkpoint.head)
        for record in self._upto(at.last_id):
            self.tell(f"Record {record.id} was inserted: all up to {at.last_id} were dropped.")
        self.number, self.last_id, self.sound = at.number, at.last_id, True
        self._pass(at.seal)

    def _leave(self, gap: Gap) -> None:
        """Ends a gap: says what is not there any more, and what is there though it was in no segment."""
        if self.number < gap.last:
            self.tell(f"{_span('Segment', self.number + 1, gap.last)} missing.")
            self.sound = False
        elif self.sound and self.seal != gap.after:
            self.tell(f"Segment {gap.last} is not the one that segment {gap.last + 1} followed, which was dropped.")
        if self.sound:
            for record in self._upto(gap.upto):
                self.tell(f"Record {record.id} was inserted.")
        self._skip(gap.upto)
        self._go_on()

    def _sealed_as(self, name: str, kinds: Sequence[str], row: Segment | stored.Checkpoint) -> str | None:
        """Which of these kinds the row's seal is of; None, once told why, where it is no seal of ours."""
        secret = self.secrets.get(row.key_id) if isinstance(row.key_id, str) else None
        if secret is None:
            self.tell(f"{name} is sealed under a key that this instance does not hold: {row.key_id!a}.")
            return None
        kind = chain.sealed_as(secret, kinds, row.row)
        if kind is None:
            self.tell(f"{name} was changed.")
        return kind

    def _pass(self, seal: bytes) -> None:
        """Goes on behind this seal."""
        self.seal, self.verdict.head = seal, seal.hex()
        if self._missed == self.verdict.head:
            self._missed = ""

    def _take(self, segment: Segment) -> None:
        expected = self.number + 1
        kind = self._sealed_as(f"Segment {segment.number}", chain.SEGMENT, segment)
        if kind is None:
            self.number = expected if segment.number == expected else self.number
            self.sound = False
            return
        if segment.number < expected:
            self.tell(f"Segment {segment.number} was inserted: all up to {self.number} were dropped.")
            return
        if segment.number > expected:
            self.tell(f"{_span('Segment', expected, segment.number - 1)} missing.")
            self.sound = False
        elif self.sound and segment.previous != self.seal:
            self.tell(f"Segment {segment.number} does not follow segment {self.number}: one is of another chain.")
        if kind == chain.FOUND:
            self._note(segment)
        self._compare(segment)
        self.number, self.last_id, self.sound = segment.number, segment.last_id, True
        self._pass(segment.seal)

    def _note(self, segment: Segment) -> None:
        """Remembers records that were sealed as they were found, those of several segments in a row as one."""
        last = self.verdict.as_found[-1] if self.verdict.as_found else None
        if last is not None and last.last_id == self.last_id:
            last.last_id, last.until = segment.last_id, segment.sealed_at
        else:
            times = segment.sealed_at, segment.sealed_at
            self.verdict.as_found.append(AsFound(segment.first_id, segment.last_id, *times))

    def _compare(self, segment: Segment) -> None:
        """Compares the records of a sound segment with its seals."""
        if not self.sound:
            self._skip(segment.first_id - 1)
        above = self.last_id if self.sound else segment.first_id - 1
        content = chain.Content(self.secrets[segment.key_id])
        for record in self._upto(segment.last_id):
            content.add(record.row)
            self._heed(record)
        self.verdict.records += content.records
        if content.digest() != segment.content:
            self._name_faults(segment, above)

    def _heed(self, record: Record) -> None:
        """Says what the trail itself says was removed before it was sealed."""
        if record.action == Action.RECORDS_MISSING:
            self.tell(f"Records were removed before they were sealed, as record {record.id} says: {record.detail}.")

    def _upto(self, last_id: int) -> Iterator[Record]:
        """The next records, to `last_id`."""
        while self.next is not None and self.next.id <= last_id:
            yield self.next
            self.next = next(self.records, None)

    def _skip(self, last_id: int) -> None:
        """Passes by records whose segment is not sound or not there."""
        first, last = None, None
        for record in self._upto(last_id):
            first, last = first or record.id, record.id
        if first is not None and last is not None:
            self.tell(f"{_span('Record', first, last)} beyond proof: the segment that sealed them is not sound.")

    def _name_faults(self, segment: Segment, above: int | None) -> None:
        secret, told = self.secrets[segment.key_id], self.verdict.faults
        missing = dict(chain.unpack_marks(segment.marks))
        changed: dict[int, tuple[bytes, bytes]] = {}
        for record in stored.records(above, segment.last_id):
            was, now = missing.pop(record.id, None), chain.mark(secret, record.row)
            if was is None:
                self.tell(f"Record {record.id} was inserted." if is_stamped(record, self.keys) else
                          f"Record {record.id} {NOT_OURS}")  # fmt: skip
            elif was != now:
                changed[record.id] = was, now
        for number in missing:
            self.tell(f"Record {number} is missing.")
        for number, (_was, now) in changed.items():
            origin = next((other for other, (was, _now) in changed.items() if was == now), None)
            self.tell(f"Record {number} was changed." if origin is None
                      else f"Record {number} was reordered: it holds what was record {origin}.")  # fmt: skip
        if told == self.verdict.faults:
            self.tell(f"One of the records {segment.first_id} to {segment.last_id} was changed.")

    def _finish(self) -> None:
        """What is behind the last segment."""
        if not self.sound:
            self._skip(HIGHEST)
        for record in self._upto(HIGHEST):
            if is_stamped(record, self.keys):
                self.verdict.unsealed += 1
                self.verdict.unsealed_since = self.verdict.unsealed_since or str(record.at)
            else:
                self.tell(f"Record {record.id} {NOT_OURS}")
        if self._missed:
            self.tell(f"The head {self._missed} is not in the chain: its end was cut off, or this is another chain.")


def _span(what: str, first: int, last: int) -> str:
    return f"{what} {first} is" if first == last else f"{what}s {first} to {last} are"
