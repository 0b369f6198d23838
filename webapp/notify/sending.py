"""Sending what is due: several lanes, each with a connection of its own, so that a recipient for whom the server lets
us wait holds up one lane and no other recipient: for each lane that waits longer than a moment, another is opened.
The first lane goes alone until the server has let it in: what is wrong with the server is not asked eight times.

A lane takes a message, composes it, hands it over with no transaction open, and settles it: killed anywhere between,
the message is tried again later; only killed after the server's OK it arrives twice, with the same Message-ID.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, end_read, transaction
from webapp.foundation.instance import Instance, this_instance
from webapp.notify import holding, outbox
from webapp.notify.channels import mail
from webapp.notify.channels.smtp import Connection, Reply
from webapp.notify.composing import AWAY, Content, compose, named
from webapp.notify.messages import Verdict
from webapp.notify.outbox import Draft, Taken

log = structlog.get_logger("yuliang.outbox")

SEND_JOB = "send messages"
NAME = "mail lanes"
LANES = 8
MOST_LANES = 64
PATIENCE = 2.0
"""Seconds; a lane that waits longer for the answer about one mail does not count among `LANES`."""
RUN_SECONDS = 20.0
"""How long one run begins new messages; the next run follows within seconds."""
LOOK_SECONDS = 0.25
"""How often a run looks for new messages while lanes are busy or hang."""
STOP_SECONDS = 10.0
"""How long lanes may take to end their mails when the process is told to stop: a mail that the server has taken and
that is not settled goes out twice."""
SETTLE_SECONDS = 180.0
"""How long a reply is tried to be stored while the database is busy or away: with the try itself, well under the
`LEASE` of the outbox, when another takes the message."""
SETTLE_PAUSES = 0.1, 5.0
"""Seconds between two such tries: the first pause, doubling to the longest."""
MESSAGES_A_CONNECTION = 100
"""Mail hosts end longer conversations by themselves."""

Clock = Callable[[], datetime]


class NoMailServer(Exception):
    """No mail server is set, or no sender: nothing was tried."""


def drain(instance: Instance, now: datetime, clock: Clock = utc_now) -> bool:
    """Sends what is due for at most `RUN_SECONDS`, then False: the rest comes with the next run. Messages that
    become due meanwhile are sent too, even while other lanes hang. Raises what a lane has died of, unless it was the
    database: no reminder may wait unseen."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    lanes = _lanes(app)
    lanes.raise_fault()  # of lanes that outlived the last run
    if not outbox.due(now, 1):
        return False
    until = time.monotonic() + RUN_SECONDS
    while time.monotonic() < until and not lanes.faults and not lanes.stopping:
        route = _route(instance)  # each time: what is stored now is in force at once
        end_read()
        if route is not None:
            for _new in range(min(outbox.due(clock(), LANES), lanes.room(route))):
                lanes.start(Lane(app, route, clock, until, lambda: lanes.stopping))
        if not lanes.busy():
            break
        lanes.wait(LOOK_SECONDS)
    lanes.raise_fault()
    return False


@contextmanager
def stopped(app: Flask) -> Iterator[None]:
    """Ends the sending of this process in order: from here on no lane takes a message, and at the end those that are
    at work have had `STOP_SECONDS` to bring theirs to an end. What they then still hold another process takes when its
    lease is over."""
    lanes, until = _lanes(app), time.monotonic() + STOP_SECONDS
    lanes.stopping = True
    try:
        yield
    finally:
        cut = lanes.join(until)
        app.extensions.pop(NAME)
        if cut:
            log.warning("mails were under way when the process had to end", mails=len(cut))
        if any(lane.probing for lane in cut):
            with app.app_context():
                _let_ask(utc_now())


def _let_ask(now: datetime) -> None:
    try:
        with transaction():
            holding.let_ask(now)
    except SQLAlchemyError as fault:  # another may ask the server when the probe's time is over
        log.warning("a probe was not given back", kind=type(fault).__name__)
    finally:
        db.session.remove()


def _lanes(app: Flask) -> Lanes:
    lanes: Lanes = app.extensions.setdefault(NAME, Lanes())
    return lanes


def _route(instance: Instance) -> mail.Route | None:
    try:
        return mail.route(instance)
    except mail.Unreadable:
        return None


class Lanes:
    """The threads that send. Daemons: one that hangs does not keep the process from ending."""

    def __init__(self) -> None:
        self._threads: dict[threading.Thread, Lane] = {}
        self._ended = threading.Event()
        self.faults: list[Exception] = []
        """What lanes have died of, until it is raised."""
        self.stopping = False
        """Whether the process is about to end: no lane takes a message any more."""

    def busy(self) -> int:
        """How many are at work."""
        self._threads = {thread: lane for thread, lane in self._threads.items() if thread.is_alive()}
        return len(self._threads)

    def room(self, route: mail.Route) -> int:
        """How many more may begin by a route: those that wait for an answer about one mail take no place, up to a
        limit. Lanes of a former route end with the mail they carry, and say nothing about this one."""
        all_busy, now = self.busy(), time.monotonic()
        lanes = [lane for lane in self._threads.values() if lane.route == route]
        if not any(lane.let_in for lane in lanes):
            return max(0, min(1 - len(lanes), MOST_LANES - all_busy))
        stuck = sum(lane.waits(now) for lane in lanes)
        return max(0, min(LANES - (len(lanes) - stuck), MOST_LANES - all_busy))

    def start(self, lane: Lane) -> None:
        """One more."""

        def run() -> None:
            try:
                lane.run()
            except Exception as fault:  # noqa: BLE001 - a thread has nobody else to tell
                self.faults.append(fault)
            finally:
                self._ended.set()

        thread = threading.Thread(target=run, name="mail lane", daemon=True)
        self._threads[thread] = lane
        thread.start()

    def wait(self, seconds: float) -> None:
        """Until one ends, but not longer than that."""
        self._ended.wait(seconds)
        self._ended.clear()

    def join(self, until: float) -> list[Lane]:
        """Waits for all lanes until then; returns those that are still at work."""
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        self.busy()
        return list(self._threads.values())

    def raise_fault(self) -> None:
        """Raises what lanes have died of, where any has."""
        fault = None
        while self.faults:  # lanes may add to it at this moment
            fault = self.faults.pop()
        if fault is not None:
            raise fault


class Lane:
    """One connection, and the messages it carries."""

    def __init__(self, app: Flask, route: mail.Route, clock: Clock, until: float, stopping: Callable[[], bool]) -> None:
        self._app, self.route, self._clock, self._until, self._stopping = app, route, clock, until, stopping
        self.probing = False
        """Whether it asks if the server is well again, while others are held."""
        self._connection = Connection(route.server, route.ca_bundle)
        self._began: float | None = None
        """Since when it carries a mail to the server."""

    @property
    def let_in(self) -> bool:
        """Whether the server has let it in."""
        return self._connection.let_in

    def waits(self, now: float) -> bool:
        """Whether one mail has kept it for longer than a moment. A server that lets nobody in, or ponders our sender,
        does not count: more lanes would help nobody."""
        began = self._began
        return began is not None and self._connection.about_one_mail and now - began > PATIENCE

    def run(self) -> None:
        """Sends until nothing is due, its time is over, or the server itself is the trouble."""
        connection = self._connection
        with self._app.app_context():
            try:
                for carried in range(1, 1_000_000):
                    if time.monotonic() > self._until or self._stopping() or not self._send_one():
                        break
                    if carried % MESSAGES_A_CONNECTION == 0:
                        connection.close()
            except AWAY as fault:  # anything else of the database is a fault of ours, and told by the job
                log.error("outbox could not reach the database", kind=type(fault).__name__)
            finally:
                connection.close()
                db.session.remove()

    def _send_one(self) -> bool:
        """Sends the message that has waited longest; False where there is none, or no server to send by: the one it
        knows is not in force any more, or is the trouble."""
        taken = outbox.take(self._clock(), self.route.sender, self._in_force)
        if taken is None:
            return False
        self.probing = taken.probing
        self._began = time.monotonic()
        content, reply = _deliver(taken, self._connection, self.route, self._clock)
        self._began = None
        chance = random.random()  # noqa: S311  # spreads retries; nobody gains by guessing it
        now = self._clock()
        if not _settle(taken, reply, content, now, chance, in_force=self._in_force):
            log.warning("a message was taken over while it was being sent", message=taken.message.id)
        self.probing = False
        if reply.verdict != Verdict.ACCEPTED:
            log.warning("a message was not taken", message=taken.message.id, stage=reply.stage, reply=reply.code)
        return not reply.concerns_all

    def _in_force(self) -> bool:
        """Asked while a message is being taken, and where one was not."""
        return mail.in_force(self.route, this_instance())


def _settle(taken: Taken, reply: Reply, content: Content | None, now: datetime, chance: float, **how: Any) -> bool:
    """Stores the reply, whatever is the matter with the database: a mail that was taken and not recorded would go out
    again."""
    ends, (pause, longest) = time.monotonic() + SETTLE_SECONDS, SETTLE_PAUSES
    while True:
        try:
            return outbox.settle(taken, reply, content, now, chance, **how)
        except (DBAPIError, TimeoutError) as error:
            db.session.rollback()
            if time.monotonic() + pause > ends:
                raise
            log.warning("a reply could not be stored yet", message=taken.message.id, kind=type(error).__name__)
        time.sleep(pause)
        pause = min(2 * pause, longest)


def _deliver(taken: Taken, connection: Connection, route: mail.Route, clock: Clock) -> tuple[Content | None, Reply]:
    message, now = taken.message, clock()
    try:
        content = compose(message, now)
        wire = mail.envelope_bytes(content, route.sender, message.address, message.wire_id, now)
    except Exception as fault:  # a fault in one message's words is that message's own, and shown on it
        log.error("a message could not be composed", message=message.id, exc_info=fault)
        return None, Reply(Verdict.TRANSIENT, "compose", None, named(fault))
    finally:
        end_read()
    return content, connection.send(route.sender, message.address, wire)


def send_now(draft: Draft, route: mail.Route | None = None, clock: Clock = utc_now) -> Reply:
    """Writes one message, tries it once, here and now (by another `route` than the one in force, where one is given),
    and says what the server said; once it is seen that the server in force is well, what was held goes too. Raises
    `NoMailServer`, `mail.Unreadable`."""
    by = route or mail.route(this_instance())
    if by is None:
        raise NoMailServer
    with transaction():
        message_id = outbox.write_one(draft, clock())
        taken = outbox.take_own(message_id, clock(), by.sender)
    connection = Connection(by.server, by.ca_bundle)
    content, reply = _deliver(taken, connection, by, clock)
    connection.close()
    _settle(taken, reply, content, clock(), 0.0, again=False)
    if route is None and reply.verdict == Verdict.ACCEPTED:
        with transaction():
            holding.lift(clock())
    return reply
