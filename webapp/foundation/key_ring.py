"""Which keys the database is sealed and indexed with: every process holds them all, or answers nothing.

The ring stands in the database, sealed like any setting. Each process compares its keys with it, once a second at
most: where it lacks one it reads the key files again, and where the ring names another key to seal or index with it
takes that one. So keys can be added, put in front and retired while the product runs.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from webapp.foundation import runtime
from webapp.foundation.database import end_read
from webapp.foundation.instance import Instance
from webapp.foundation.keys import load_keys
from webapp.foundation.sealing import KeyMissing, Sealer
from webapp.settings import SettingsError

NAME = "index_keys"
"""Under which the database remembers its ring; former versions kept the fingerprint of their one index key there."""
HEED = "keys"
"""Where an app keeps its `Heed`, among its extensions."""
LOOKED_AT_EVERY = 1.0
"""Seconds after which a process has noticed at its next work that the ring is another."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Fingerprints of the keys that something may be sealed or indexed with, by id; those that seal and index; and the
    fingerprints of those that nothing is any more."""

    data: dict[str, str]
    index: dict[str, str]
    sealing: str
    indexing: str
    retired: dict[str, str] = field(default_factory=dict)

    def missing(self, sealer: Sealer) -> tuple[list[str], list[str]]:
        """Ids of the data keys, and of the index keys, that are not held."""
        data, index = sealer.data_fingerprints(), sealer.index_fingerprints()
        return (
            [name for name, mark in self.data.items() if data.get(name) != mark],
            [name for name, mark in self.index.items() if index.get(name) != mark],
        )

    def spare(self, sealer: Sealer) -> tuple[list[str], list[str]]:
        """Ids of the data keys, and of the index keys, that are held and were never used."""
        data, index, gone = sealer.data_fingerprints(), sealer.index_fingerprints(), set(self.retired.values())
        return (
            [name for name, mark in data.items() if name not in self.data and mark not in gone],
            [name for name, mark in index.items() if name not in self.index and mark not in gone],
        )

    def with_keys(self, sealer: Sealer, data: list[str], index: list[str]) -> Ring:
        """This ring and these keys."""
        marks, index_marks = sealer.data_fingerprints(), sealer.index_fingerprints()
        return replace(
            self, data=self.data | {name: marks[name] for name in data},
            index=self.index | {name: index_marks[name] for name in index},
        )  # fmt: skip

    def without_old(self) -> Ring:
        """This ring once nothing is under any other key than those that seal and index."""
        old = {f"data {name}": mark for name, mark in self.data.items() if name != self.sealing}
        old |= {f"index {name}": mark for name, mark in self.index.items() if name != self.indexing}
        return replace(
            self, data={self.sealing: self.data[self.sealing]}, index={self.indexing: self.index[self.indexing]},
            retired=self.retired | old,
        )  # fmt: skip


def new(sealer: Sealer) -> Ring:
    """The ring of a new database: of each kind the first key."""
    data, index = sealer.data_fingerprints(), sealer.index_fingerprints()
    return Ring(
        {sealer.sealing: data[sealer.sealing]}, {sealer.indexing: index[sealer.indexing]},
        sealer.sealing, sealer.indexing,
    )  # fmt: skip


def read(sealer: Sealer) -> Ring | None:
    """The database's ring; None where there is none yet. Raises `CannotOpen` under other keys."""
    text = runtime.stored(NAME, sealer)
    if text is None:
        return None
    if text.startswith("{"):
        return Ring(**json.loads(text))
    # Of a former version: any data key may have sealed, one index key has indexed.
    index = sealer.index_fingerprints()
    known = next((name for name, mark in index.items() if mark == text), "")
    return Ring(sealer.data_fingerprints(), {known or "?": text}, sealer.sealing, known or "?")


def is_written(sealer: Sealer) -> bool:
    """Whether the database has a ring of this version's form."""
    return (runtime.stored(NAME, sealer) or "").startswith("{")


def write(ring: Ring, sealer: Sealer, now: datetime) -> None:
    """Stores the ring in the caller's transaction."""
    runtime.store(NAME, json.dumps(asdict(ring)), sealer, now)


def follow(ring: Ring, sealer: Sealer, instance: Instance) -> None:
    """Takes the keys that the ring names, from the files where they are not held. Raises `KeyMissing`."""
    if any(ring.missing(sealer)):
        fetch(instance, ring)
    missing = ring.missing(sealer)
    if any(missing):
        raise KeyMissing(told_missing(*missing), " ".join(missing[0] + missing[1]))
    sealer.retired = frozenset(name.removeprefix("data ") for name in ring.retired if name.startswith("data "))
    if (sealer.sealing, sealer.indexing) != (ring.sealing, ring.indexing):
        keys = load_keys(instance.settings, make=False)
        sealer.hold(keys, ring.sealing, ring.indexing)


def told_missing(data: list[str], index: list[str]) -> str:
    """Which keys are not here, and what to do, in one line."""
    parts = [f"data key {name} in YULIANG_DATA_KEYS (or keys/data_keys in the instance folder)" for name in data]
    parts += [f"index key {name} in YULIANG_INDEX_KEYS (or keys/index_keys in the instance folder)" for name in index]
    return f"missing: {', '.join(parts)}: put the backed-up key in place, behind the others"


class Heed:
    """Keeps the keys of one process those of the ring."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._looked_at = 0.0
        instance.sealer.fetch_keys = lambda: fetch(instance)

    def __call__(self) -> None:
        """Looks at the ring, if that was not done within the last second. Raises `KeyMissing`."""
        now = time.monotonic()
        if now - self._looked_at < LOOKED_AT_EVERY:
            return
        ring = read(self._instance.sealer)
        end_read()
        if ring is not None:
            follow(ring, self._instance.sealer, self._instance)
        self._looked_at = now


def fetch(instance: Instance, ring: Ring | None = None) -> bool:
    """Reads the keys again; True where there are others than before."""
    sealer = instance.sealer
    try:
        keys = load_keys(instance.settings, make=False)
    except SettingsError:  # taken away, or half written by hand: what is held stays in use
        return False
    before = sealer.data_fingerprints(), sealer.index_fingerprints()
    data_ids, index_ids = {key.id for key in keys.data}, {key.id for key in keys.index}
    sealing = ring.sealing if ring is not None else sealer.sealing
    indexing = ring.indexing if ring is not None else sealer.indexing
    sealer.hold(keys, sealing if sealing in data_ids else None, indexing if indexing in index_ids else None)
    return before != (sealer.data_fingerprints(), sealer.index_fingerprints())
