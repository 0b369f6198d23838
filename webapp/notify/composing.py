"""What a message says, and who words it: each kind of message has a composer, registered by the part it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, cast

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError, TimeoutError

from webapp.foundation.database import end_read
from webapp.notify.messages import Message

log = structlog.get_logger("yuliang.outbox")

NAME = "composers"
AWAY = (OperationalError, InterfaceError, TimeoutError)
"""What a database that is locked, away or short of connections raises; on SQLite also a query that is wrong."""
PATIENT_TRIES = 3
"""At this try, after about a minute and a half, a message goes out in short form whatever it is."""


class Picture(NamedTuple):
    """An inline picture (PNG); the HTML refers to it as `cid:<name>`."""

    name: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """A message in words."""

    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()
    secrets: tuple[str, ...] = ()
    """What only the recipient may know, such as the token of a link: taken out of what is kept here."""
    leave: str = ""
    """An address that ends such mails when it is posted to (RFC 8058)."""
    flaw: str = ""
    """Why this is the short form: what was wrong with the words."""

    def record(self) -> str:
        """The text as it is kept."""
        text = self.text
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return text


Composer = Callable[[Message, datetime], Content]
Judge = Callable[[Message, datetime], str]
"""Why a message need not be sent any more at a time, as pages translate it; empty: it is worth sending."""


class _Owner(NamedTuple):
    """What the part knows to which a kind of message belongs."""

    words: Composer
    short: Composer | None
    pointless: Judge


def register(
    app: Flask,
    kind: str,
    composer: Composer,
    short: Composer | None = None,
    *,
    pointless: Judge = lambda _message, _now: "",
) -> None:
    """Says who words messages of `kind`, in few words where that fails, and who knows whether they have become
    pointless; called once, by the composition root's parts."""
    app.extensions.setdefault(NAME, {})[kind] = _Owner(composer, short, pointless)


def _owners() -> dict[str, _Owner]:
    return cast(dict[str, _Owner], current_app.extensions.get(NAME, {}))


def pointless(message: Message, now: datetime) -> str:
    """Why a message need not be sent any more; empty: it is worth sending, or nobody here can tell. Asked whenever it
    is taken, and before it is tried again by hand. Reads only; raises only what is the database's fault."""
    owner = _owners().get(message.kind)
    try:
        return owner.pointless(message, now) if owner else ""
    except SQLAlchemyError:
        raise
    except Exception as fault:  # one message that cannot be judged must not keep the others from going
        log.error("a message could not be judged", message=message.id, exc_info=fault)
        return ""


def compose(message: Message, now: datetime) -> Content:
    """The message in its recipient's language, with the figures of `now`. What matters must not wait for a fault in
    its words to be mended: then its short form goes out, and names the fault. Raises what is wrong where there is
    none, or where it is wrong too; and a database that does not answer, which is no fault of the words, unless it has
    failed at several tries."""
    owner = _owners()[message.kind]
    try:
        return owner.words(message, now)
    except Exception as fault:  # whatever it is, it is these words' own; logged, and shown beside the message
        passing = isinstance(fault, AWAY) and message.attempts < PATIENT_TRIES
        if owner.short is None or passing:
            raise
        log.error("a message goes out in its short form", message=message.id, exc_info=fault)
        end_read()
        return replace(owner.short(message, now), flaw=named(fault))


def named(fault: Exception) -> str:
    """A fault in one line, for the page."""
    return f"{type(fault).__name__}: {fault}"[:500]
