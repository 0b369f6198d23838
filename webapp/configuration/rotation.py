"""Rotating keys while the product runs: add, promote, renew, retire.

1. *Added*: a new key joins the ring. Every process takes it up with its next page or job (`key_ring.Heed`) and opens
   and searches with it; nothing is sealed with it before `GRACE` is over.
2. *Promoted*: from now on new rows are sealed and indexed with it. Look-ups ask under every key in the ring.
3. *Renewed*: table after table, batch after batch; a row's seal and all its blind indexes change in one transaction.
   Each table is gone through until a pass that began `GRACE` after the promotion finds nothing under another key.
4. *Retired*, once every call is over that was begun before the promotion: the old key leaves the ring. Nothing in the
   database needs it any more; backups of before do.

All of it stands in the database: who is killed at any point is followed by the next worker, or by the command.
The audit key is another matter: what it has sealed is never sealed anew, see docs/audit.md.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update

from webapp.audit.trail import SYSTEM, Action, append
from webapp.configuration.key_models import KeyRotation, KeyRotationPart
from webapp.foundation import key_ring, keys
from webapp.foundation.database import db, end_read, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.key_ring import Ring
from webapp.foundation.resealing import Batch, Part, SealedTable, sealed_columns
from webapp.foundation.sealing import KeyMissing, Sealer
from webapp.receipts import operations as receipts
from webapp.verification.reindexing import Identities, References, calls_begun_before

GRACE = timedelta(seconds=10)
"""After which every process has noticed that the ring is another, and no look-up is under way that began before."""
LONGEST_PAUSE = 0.5
"""Seconds, at most, that others get after each batch: as long as the batch took."""
FEW = {"export_piece": 5}
"""Rows of a batch where a row is large."""


class CannotRotate(Exception):
    """The keys cannot be rotated now; the message says why and what to do."""


def parts() -> list[Part]:
    """Everything that is sealed, settings first: who lacks the new key finds out at once."""
    own: dict[str, Part] = {one.name: one for one in (Identities(), References())}
    tables = [SealedTable(column, FEW.get(str(column.table.name), 200)) for column in sealed_columns()]
    found: list[Part] = [own.get(table.name, table) for table in tables]
    return sorted(found, key=lambda part: (part.name != "setting", part.name in own))


def present() -> KeyRotation | None:
    """The rotation that is under way."""
    return db.session.scalar(select(KeyRotation).where(KeyRotation.finished_at.is_(None)).limit(1))


def progress(rotation_id: int) -> Sequence[KeyRotationPart]:
    """How far each table is."""
    query = select(KeyRotationPart).where(KeyRotationPart.rotation_id == rotation_id)
    return db.session.scalars(query.order_by(KeyRotationPart.name).execution_options(populate_existing=True)).all()


def begin(instance: Instance, now: datetime) -> int:
    """Begins a rotation, or finds the one that is under way; returns its number. Raises `CannotRotate`."""
    going = present()
    if going is not None:
        end_read()
        return going.id
    end_read()
    with keys.alone(instance.settings):
        return _begin(instance, now)


def _begin(instance: Instance, now: datetime) -> int:
    ring, going = _ring(instance), present()
    end_read()
    if going is not None:
        return going.id  # of another process, while this one waited
    data, index = _new_keys(ring, instance)
    totals = {part.name: part.count() for part in parts()}
    end_read()
    with transaction() as session:
        _take_turns()
        going = present()
        if going is not None:
            return going.id
        _still_there(data, index, instance)
        ring = _ring(instance).with_keys(instance.sealer, [data], [index])
        rotation = KeyRotation(
            data_key=data, index_key=index, started_at=now,
            old_data_keys=" ".join(name for name in ring.data if name != data),
            old_index_keys=" ".join(name for name in ring.index if name != index),
        )  # fmt: skip
        session.add(rotation)
        session.flush()
        session.add_all(KeyRotationPart(rotation_id=rotation.id, name=name, total=n) for name, n in totals.items())
        key_ring.write(ring, instance.sealer, now)
        receipts.keep_keys(instance.sealer, now)
        append(SYSTEM, Action.KEYS_ADDED, now, data_key=data, index_key=index, old_data_keys=rotation.old_data_keys,
               old_index_keys=rotation.old_index_keys)  # fmt: skip
        return rotation.id


def go_on(instance: Instance, now: datetime) -> bool:
    """Does the next piece of the rotation that is under way; False where there is nothing to do now. Raises
    `KeyMissing`."""
    rotation = present()
    end_read()
    if rotation is None:
        return False
    if rotation.promoted_at is None:
        return now >= rotation.started_at + GRACE and _promote(rotation, instance, now)
    if (instance.sealer.sealing, instance.sealer.indexing) != (rotation.data_key, rotation.index_key):
        key_ring.follow(_ring(instance), instance.sealer, instance)  # another process has promoted them just now
        end_read()
    named, settled = {part.name: part for part in parts()}, rotation.promoted_at + GRACE
    unfinished = [state for state in progress(rotation.id) if state.finished_at is None]
    end_read()
    for state in sorted(unfinished, key=lambda state: list(named).index(state.name)):
        if _renew(named[state.name], state, settled, instance, now):
            return True
    if unfinished or calls_begun_before(rotation.promoted_at):
        end_read()
        return False
    return _retire(rotation, instance, now)


def _ring(instance: Instance) -> Ring:
    ring = key_ring.read(instance.sealer)
    if ring is None:
        raise CannotRotate("this database does not know its keys yet: start `yuliang serve` once")
    return ring


def _new_keys(ring: Ring, instance: Instance) -> tuple[str, str]:
    """Ids of the keys that everything shall be under, made where they are missing."""
    spare, spare_index = ring.spare(instance.sealer)
    missing = ring.missing(instance.sealer)
    if any(missing):
        raise CannotRotate(f"keys are {key_ring.told_missing(*missing)}")
    wanted = {
        "data_keys": ring.sealing if len(ring.data) > 1 else next(iter(spare), None),
        "index_keys": ring.indexing if len(ring.index) > 1 else next(iter(spare_index), None),
    }
    files = {kind: keys.key_file(kind, instance.settings) for kind in wanted}
    if not any(wanted.values()) and not any(files.values()):
        raise CannotRotate(
            "the environment gives the keys: add a new one behind the others in YULIANG_DATA_KEYS and "
            "YULIANG_INDEX_KEYS (such as k2:base64-of-32-bytes) on every machine, restart, and run this again"
        )
    used = {name.split()[-1] for name in ring.retired} | ring.data.keys() | ring.index.keys()
    for kind, path in files.items():
        if wanted[kind] is None and path is not None:
            wanted[kind] = keys.add_key(path, used)
    key_ring.fetch(instance)
    data, index = wanted["data_keys"] or ring.sealing, wanted["index_keys"] or ring.indexing
    for name, marks, old in (
        (data, instance.sealer.data_fingerprints(), ring.retired.get(f"data {data}")),
        (index, instance.sealer.index_fingerprints(), ring.retired.get(f"index {index}")),
    ):
        if old is not None and marks[name] != old:
            raise CannotRotate(f"key id {name} was another key's before: give the new key an id of its own")
    return data, index


def _still_there(data: str, index: str, instance: Instance) -> None:
    """Raises `CannotRotate` where what a restart would read are not the very keys that the ring is about to name."""
    kept, held = Sealer(keys.load_keys(instance.settings, make=False)), instance.sealer
    if (kept.data_fingerprints().get(data), kept.index_fingerprints().get(index)) != (
        held.data_fingerprints()[data], held.index_fingerprints()[index],
    ):  # fmt: skip
        raise CannotRotate("the key files were changed meanwhile by something else: run this again")


def _promote(rotation: KeyRotation, instance: Instance, now: datetime) -> bool:
    with keys.alone(instance.settings):
        for kind, name in (("data_keys", rotation.data_key), ("index_keys", rotation.index_key)):
            path = keys.key_file(kind, instance.settings)
            if path is not None:
                keys.put_first(path, name)
    with transaction() as session:
        mine = update(KeyRotation).where(KeyRotation.id == rotation.id, KeyRotation.promoted_at.is_(None))
        session.execute(mine.values(promoted_at=now), execution_options={"synchronize_session": False})
        ring = replace(_ring(instance), sealing=rotation.data_key, indexing=rotation.index_key)
        key_ring.write(ring, instance.sealer, now)
    key_ring.follow(ring, instance.sealer, instance)
    return True


def _renew(part: Part, state: KeyRotationPart, settled: datetime, instance: Instance, now: datetime) -> bool:
    """Renews the next batch of a table; False where it must wait for others to take up the keys."""
    batch = part.fetch(state.place, instance.sealer)
    end_read()
    if batch is not None:
        _store(part, state, batch, instance, now)
        return True
    clean = state.pass_began_at is not None and state.found == 0
    if clean and state.pass_began_at is not None and state.pass_began_at >= settled:
        _move(state, finished_at=now)
        return True
    if clean and now < settled:
        return False
    _move(state, place=None, found=0, broken=0, pass_began_at=now)
    return True


def _store(part: Part, state: KeyRotationPart, batch: Batch, instance: Instance, now: datetime) -> None:
    began = time.monotonic()
    with transaction():
        stored = part.store(batch, instance.sealer)
        _moved(
            state, place=batch.upto, done=KeyRotationPart.done + stored, found=KeyRotationPart.found + len(batch.rows),
            broken=KeyRotationPart.broken + batch.broken, pass_began_at=state.pass_began_at or now,
        )  # fmt: skip
    time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))


def _move(state: KeyRotationPart, **values: object) -> None:
    with transaction():
        _moved(state, **values)


def _moved(state: KeyRotationPart, **values: object) -> None:
    mine = KeyRotationPart.rotation_id == state.rotation_id, KeyRotationPart.name == state.name
    must_write().execute(
        update(KeyRotationPart).where(*mine).values(**values), execution_options={"synchronize_session": False}
    )


def _retire(rotation: KeyRotation, instance: Instance, now: datetime) -> bool:
    with transaction() as session:
        mine = update(KeyRotation).where(KeyRotation.id == rotation.id, KeyRotation.finished_at.is_(None))
        if not session.execute(mine.values(finished_at=now), execution_options={"synchronize_session": False}).rowcount:  # type: ignore[attr-defined]
            return False
        ring = _ring(instance).without_old()
        key_ring.write(ring, instance.sealer, now)
        rows = sum(state.done for state in progress(rotation.id))
        append(SYSTEM, Action.KEYS_ROTATED, now, data_key=rotation.data_key, index_key=rotation.index_key, rows=rows)
    key_ring.follow(ring, instance.sealer, instance)
    return False


def _take_turns() -> None:
    """Of two who begin at once one begins; SQLite's writers take turns anyway."""
    session = must_write()
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("LOCK TABLE key_rotation IN SHARE ROW EXCLUSIVE MODE")


__all__ = ["CannotRotate", "KeyMissing", "begin", "go_on", "parts", "present", "progress"]
