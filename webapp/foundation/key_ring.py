"""Which keys the database is sealed, indexed and audited with: every process holds them all, or answers nothing.

The ring stands in the database, sealed like any setting. Each process compares its keys with it, once a second at
most, and in each transaction before the first thing is sealed, indexed or looked for: where it lacks a key it reads the
key files again, and where the ring names another one to seal or index with it takes that. A ring is not stored while
such a transaction is open: once a key is no longer the one that seals, nothing more is ever stored under it, however
long a process had its old ring in mind.

Of the audit keys the ring names all that something in the trail is under, and the one that stamps and seals: whatever
order a process has them in, it takes that one. What others stamp with the former one meanwhile is right: it verifies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import cast

from flask import current_app, has_app_context

from webapp.foundation import runtime
from webapp.foundation.database import db, end_read, must_write
from webapp.foundation.instance import Instance, hold_audit, this_instance
from webapp.foundation.keys import Keys, load_keys
from webapp.foundation.sealing import KeyMissing, Sealer, fingerprint_of
from webapp.settings import SettingsError

NAME = "index_keys"
"""Under which the database remembers its ring; former versions kept the fingerprint of their one index key there."""
HEED = "keys"
"""Where an app keeps its `Heed`, among its extensions."""
LOOKED_AT_EVERY = 1.0
"""Seconds after which a process has noticed at its next work that the ring is another."""
LOCK = 0x79756C69616E67
"""PostgreSQL's advisory lock: shared by transactions that seal, held alone by one that stores a ring."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Fingerprints of the keys that something may be sealed or indexed with, by id; those that seal and index; and the
    fingerprints of those that nothing is any more."""

    data: dict[str, str]
    index: dict[str, str]
    sealing: str
    indexing: str
    retired: dict[str, str] = field(default_factory=dict)
    audit: dict[str, str] = field(default_factory=dict)
    """Empty in the ring of a former version."""
    stamping: str = ""

    def lacking(self, keys: Keys) -> list[str]:
        """Ids of the audit keys that are not held."""
        held = audit_fingerprints(keys)
        return [name for name, mark in self.audit.items() if held.get(name) != mark]

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

    def gone(self, kind: str, live: Collection[str]) -> frozenset[str]:
        """Ids of the retired keys of this kind (`data`, `index`), but for those that are `live` under the same id."""
        names = (name.split(" ", 1) for name in self.retired)
        return frozenset(name for of, name in names if of == kind and name not in live)

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
    return None if text is None else _parsed(text, sealer)


def _parsed(text: str, sealer: Sealer) -> Ring:
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
    """Stores the ring in the caller's transaction, once all transactions that seal under the former one are over."""
    session = must_write()
    if session.get_bind().dialect.name == "postgresql":  # SQLite's writers take turns anyway
        session.connection().exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    runtime.store(NAME, json.dumps(asdict(ring)), sealer, now)


def audit_fingerprints(keys: Keys) -> dict[str, str]:
    """Says of each audit key, by id, which one it is, without telling it."""
    return {key.id: fingerprint_of(key) for key in keys.audit}


def follow(ring: Ring, sealer: Sealer, instance: Instance) -> None:
    """Takes the keys that the ring names, from the files where they are not held. Raises `KeyMissing`."""
    if any(ring.missing(sealer)):
        fetch(instance, ring)
    missing = ring.missing(sealer)
    if any(missing):
        raise KeyMissing(told_missing(*missing), " ".join(missing[0] + missing[1]))
    sealer.retired, sealer.retired_index = ring.gone("data", ring.data), ring.gone("index", ring.index)
    if (sealer.sealing, sealer.indexing) != (ring.sealing, ring.indexing):
        keys = load_keys(instance.settings, make=False)
        sealer.hold(keys, ring.sealing, ring.indexing)


def follow_audit(ring: Ring) -> None:
    """Takes the audit keys in the ring's order: the first stamps and seals. Raises `KeyMissing`."""
    keys = this_instance().keys
    if ring.lacking(keys):
        with suppress(SettingsError):  # see `fetch`
            keys = load_keys(this_instance().settings, make=False)
    if lacking := ring.lacking(keys):
        raise KeyMissing(told_missing([], [], lacking), " ".join(lacking))
    ordered = tuple(sorted(keys.audit, key=lambda key: key.id != ring.stamping))
    if ordered != this_instance().keys.audit:
        hold_audit(ordered)


def told_missing(data: Collection[str], index: Collection[str], audit: Collection[str] = ()) -> str:
    """Which keys are not here, and what to do, in one line."""
    parts = [f"audit key {name} in YULIANG_AUDIT_KEY (or keys/audit_key in the instance folder)" for name in audit]
    parts += [f"data key {name} in YULIANG_DATA_KEYS (or keys/data_keys in the instance folder)" for name in data]
    parts += [f"index key {name} in YULIANG_INDEX_KEYS (or keys/index_keys in the instance folder)" for name in index]
    return f"missing: {', '.join(parts)}: put the backed-up key in place, behind the others"


class Heed:
    """Keeps the keys of one process those of the ring."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._looked_at = 0.0
        self._known: tuple[bytes, str, str] | None = None
        self._audited: bytes | None = None
        """The ring whose audit keys were taken. What is under way goes on with its former ones: they verify."""
        instance.sealer.fetch_keys = lambda: fetch(instance)
        instance.sealer.heed = self.before_storing

    def __call__(self) -> None:
        """Looks at the ring, if that was not done within the last second. Raises `KeyMissing`."""
        now = time.monotonic()
        if now - self._looked_at < LOOKED_AT_EVERY:
            return
        sealed = runtime.sealed_text(NAME)
        end_read()
        self._take_up(sealed)
        if sealed is not None and self._audited != sealed:
            follow_audit(self._opened(sealed))
            self._audited = sealed
        self._looked_at = now

    def anew(self) -> None:
        """Looks at the ring now. Raises `KeyMissing`."""
        self._looked_at = -LOOKED_AT_EVERY
        self()

    def before_storing(self) -> None:
        """Looks at the ring once in each transaction: from then to its end the ring stays as it is. Raises
        `KeyMissing`."""
        if not has_app_context():
            return
        session = db.session()
        whole = session.get_transaction()
        if not session.info.get("writing") or session.info.get(HEED) is whole:
            return
        session.info[HEED] = whole
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({LOCK})")
        with session.no_autoflush:
            self._take_up(runtime.sealed_text(NAME))

    def _take_up(self, sealed: bytes | None) -> None:
        sealer = self._instance.sealer
        if sealed is None or self._known == (sealed, sealer.sealing, sealer.indexing):
            return
        ring = self._opened(sealed)
        follow(ring, sealer, self._instance)
        self._known = sealed, ring.sealing, ring.indexing

    def _opened(self, sealed: bytes) -> Ring:
        sealer = self._instance.sealer
        return _parsed(sealer.open(sealed, runtime.place(NAME)).decode(), sealer)


def heed() -> None:
    """Between two pieces of something long: the present app's keys are those of the ring. Raises `KeyMissing`."""
    cast(Heed, current_app.extensions[HEED])()


def heed_anew() -> None:
    """As `heed`, however short a time ago that was done: before a record is refused for its stamp."""
    cast(Heed, current_app.extensions[HEED]).anew()


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
