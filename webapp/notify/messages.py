"""Messages that leave the house: one row for each recipient and channel, and each attempt to send it.

A message is written in the transaction of its cause and sent after it, so neither can be without the other. It
holds what it is about (`kind` and `params`), not its words: those are composed when it is sent, with the figures of
that minute, and kept beside it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime

MAIL = "mail"
"""The channel that there is."""


class State(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    SENT = "sent"
    """The server took it."""
    REFUSED = "refused"
    """The server refuses it for good (5xx)."""
    FAILED = "failed"
    """72 hours of trying are over, or it could not be written."""
    DROPPED = "dropped"
    """Pointless before it was sent."""


class Verdict(StrEnum):
    """What came of an attempt."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"
    """Try again later."""
    PERMANENT = "permanent"
    """This message will never be taken."""


class Fault(StrEnum):
    """What was in the way where no server said it: a word that pages translate."""

    NO_ANSWER = "no_answer"
    CLOSED = "closed"
    NO_NAME = "no_name"
    TURNED_AWAY = "turned_away"
    """Nobody listens at that port."""
    NOT_SMTP = "not_smtp"
    NO_STARTTLS = "no_starttls"
    TLS = "tls"
    CERTIFICATE = "certificate"
    BUNDLE = "bundle"
    """The certificates to trust cannot be read: a fault of `YULIANG_CA_BUNDLE`."""
    NO_LOGIN = "no_login"
    CHARACTERS = "characters"
    OTHER = "other"


class Message(Base):
    """One message to one recipient by one channel. `key` is unique: one cause tells each recipient once."""

    __tablename__ = "message"
    __table_args__ = (Index(None, "state", "next_at", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    cause: Mapped[str] = mapped_column(String(64), index=True)
    """What it was written for, such as `episode:12`: messages of one cause are dropped together."""
    kind: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    channel: Mapped[str] = mapped_column(String(16))
    reader: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    """Who it is for, as its writer names them, whatever their address is now; empty: whoever has the address."""
    address: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(8))
    wire_id: Mapped[str] = mapped_column(String(120))
    """The mail's Message-ID: the same at every attempt, so that a second copy can be told to be one."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was written, or written anew: since then somebody is to get it."""
    state: Mapped[State] = mapped_column(String(8))
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """Not to be tried before. While it is being tried: when its holder is believed dead."""
    holder: Mapped[str | None] = mapped_column(String(40))
    """Who is trying just now; a token that no other try shares."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Tries that were its own: not those that ended with the server itself."""
    first_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    subject: Mapped[str] = mapped_column(String(300), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    """The text as it was sent last."""
    reason: Mapped[str] = mapped_column(String(40), default="")
    """Why it was dropped, or given up."""
    flaw: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    """What was wrong with its words when it was composed last: it then goes out in its short form."""


class Attempt(Base):
    """One try to send a message. Without `ended_at` the process died, or is still at it."""

    __tablename__ = "message_attempt"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verdict: Mapped[Verdict | None] = mapped_column(String(12))
    stage: Mapped[str] = mapped_column(String(16), default="")
    """How far it came: compose, connect, greeting, tls, login, sender, recipient, content."""
    code: Mapped[int | None]
    """The server's reply code, where a server replied."""
    words: Mapped[str] = mapped_column(String(500), default="")
    """The server's own words; with a `fault`, more about it."""
    fault: Mapped[str] = mapped_column(String(24), default="", server_default=text("''"))
    """A word of `Fault` where no server said what is wrong."""
