"""The hold: while the mail server itself is the trouble (it cannot be reached, lets nobody in, refuses the sender),
nothing is tried but now and then one message, by one lane among all processes, with growing pauses. So a wrong
password is not tried by every lane, and a message's own patience is not spent on what is nobody's own fault.

One row says so to all workers. The messages stay due: as soon as the hold is lifted, they go.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, bindparam, false, select, true, update
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, UtcDateTime, db, insert_once, must_write, put
from webapp.notify.channels.smtp import Reply
from webapp.notify.messages import MAIL, Message
from webapp.notify.retrying import FARTHEST_HOLD, hold_pause


class Hold(Base):
    """Whether a channel's messages are held."""

    __tablename__ = "message_hold"

    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    failures: Mapped[int]
    """How often in a row the server has failed; 0: nothing is held."""
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the next message may be tried. While one is: when its lane is believed dead."""
    fresh_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a message that was never tried may be: earlier, unless the server has answered with a refusal."""
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was lifted last: by a mail that got through to the server, or by an admin."""


def known() -> Hold | None:
    """What is known of the hold; None where the server has never failed. Reads only."""
    return db.session.get(Hold, MAIL, populate_existing=True)


def standing() -> Hold | None:
    """The hold, where something is held now. Reads only."""
    hold = known()
    return hold if hold is not None and hold.failures else None


def admits(hold: Hold | None, now: datetime) -> ColumnElement[bool]:
    """Which messages may be tried now. A pause that ends later than any honest clock could have put it is the trace
    of a clock that was ahead, and over."""
    if hold is None or _over(hold.until, now):
        return true()
    return Message.first_at.is_(None) if _over(hold.fresh_at, now) else false()


def _over(pause_end: datetime | None, now: datetime) -> bool:
    return pause_end is None or not now < pause_end <= now + FARTHEST_HOLD


def probe(hold: Hold, now: datetime, lasting: timedelta) -> bool:
    """Whether the caller is the one that may try a message while `hold` stands, in the caller's transaction. Nobody
    else may before it has said what it heard, or `lasting` is over."""
    mine = update(Hold).where(Hold.channel == MAIL, Hold.failures > 0, Hold.until == hold.until)
    values = {"until": now + lasting, "fresh_at": now + lasting}
    return must_write().execute(mine.values(**values), _QUIETLY).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def heard(reply: Reply, now: datetime, chance: float, *, probing: bool) -> None:
    """What a try says about the server, in the caller's transaction: a failure holds the messages back or prolongs
    the hold, and a mail that got past log-in and sender lifts it. `probing`: the try was a probe."""
    if reply.concerns_all:
        _failed(reply, now, chance, probing=probing)
    elif reply.stage != "compose":
        must_write().execute(_LIFTED, {"now": now})
    elif probing:  # the mail was at fault before the server was asked
        let_ask(now)


_LIFTED = (
    update(Hold).where(Hold.channel == MAIL, Hold.failures > 0)
    .values(failures=0, until=None, fresh_at=None, lifted_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)  # fmt: skip


def let_ask(now: datetime) -> None:
    """Another may ask the server now, in the caller's transaction: a probe has ended and learnt nothing."""
    ours = update(Hold).where(Hold.channel == MAIL, Hold.failures > 0)
    must_write().execute(ours.values(until=now, fresh_at=now), _QUIETLY)


def _failed(reply: Reply, now: datetime, chance: float, *, probing: bool) -> None:
    insert_once(Hold, channel=MAIL, failures=0)
    query = select(Hold).where(Hold.channel == MAIL).with_for_update().execution_options(populate_existing=True)
    hold = must_write().scalars(query).one()
    if bool(hold.failures) != probing:
        return  # begun before the hold, and counted already; or a probe of a hold that was lifted meanwhile
    hold.failures += 1
    hold.until = now + hold_pause(hold.failures, chance, refused=reply.refuses_us)
    hold.fresh_at = hold.until if reply.refuses_us else now + hold_pause(1, chance, refused=False)
    must_write().flush()


def lift(now: datetime) -> None:
    """Ends the hold in the caller's transaction: the server is well, or what was set may have mended it."""
    put(Hold, {"channel": MAIL}, {"failures": 0, "until": None, "fresh_at": None, "lifted_at": now})


_QUIETLY = {"synchronize_session": False}
