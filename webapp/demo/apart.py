"""A process of its own that makes the calls while this one stores them. It loads nothing that needs the database."""

from __future__ import annotations

import gc
import io
import multiprocessing
import pickle
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, NamedTuple

from webapp.demo import CannotFill
from webapp.demo.making import Maker
from webapp.demo.orders import Orders
from webapp.demo.rows import Batch
from webapp.foundation.keys import Keys
from webapp.foundation.sealing import Sealer
from webapp.usage.calendar import DayKind

if TYPE_CHECKING:
    from webapp.foundation.instance import Instance

TOO_EARLY = "the process that makes the calls ended too early"


class _Task(NamedTuple):
    """All that the other process needs."""

    orders: Orders
    calendar: Mapping[date, DayKind]
    secret: bytes
    keys: Keys
    sealing: str
    indexing: str


@contextmanager
def made(maker: Maker, instance: Instance, *, apart: bool) -> Iterator[Iterable[Batch]]:
    """The maker's batches; `apart`: made while this process stores them. Raises `CannotFill` where the other died."""
    if not apart:
        yield maker.batches()
        return
    sealer = instance.sealer
    task = _Task(maker.orders, maker.calendar, maker.secret, instance.keys, sealer.sealing, sealer.indexing)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    # Spawned, not forked: a fork would hold the database's file and locks too.
    process = multiprocessing.get_context("spawn").Process(target=_make, args=(task, sender))
    process.start()
    sender.close()
    try:
        yield _received(receiver, process)
    finally:
        receiver.close()  # who still sends, ends
        process.join()


def _received(receiver: Pipe, process: BaseProcess) -> Iterator[Batch]:
    while True:
        try:
            batch: Batch | None = receiver.recv()
        except (EOFError, OSError) as error:  # between two batches, or in the middle of one
            process.join()
            raise CannotFill(f"{TOO_EARLY}, with exit code {process.exitcode}: nothing is stored") from error
        if batch is None:
            return
        yield batch


def _make(task: _Task, sender: Pipe) -> None:
    gc.disable()  # what is made is let go day by day, and nothing of it holds on to itself
    sealer = Sealer(task.keys)
    sealer.hold(task.keys, task.sealing, task.indexing)
    with suppress(BrokenPipeError):
        for batch in Maker(task.orders, task.calendar, sealer, task.secret).batches():
            sender.send_bytes(_packed(batch))
        sender.send(None)


def _packed(batch: Batch) -> memoryview:
    """As `send` does, but without a note of each text, which is hardly ever the same as another."""
    content = io.BytesIO()
    pickler = pickle.Pickler(content, pickle.HIGHEST_PROTOCOL)
    pickler.fast = True
    pickler.dump(batch)
    return content.getbuffer()
