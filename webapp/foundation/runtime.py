"""Run-time settings: what the environment fixes, else what an admin stored, else the default. Secrets are sealed."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, String, bindparam, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, UtcDateTime, db, must_write, put
from webapp.foundation.sealed_columns import sealed
from webapp.foundation.sealing import Sealer
from webapp.settings import SETTINGS, Setting, Settings


class StoredSetting(Base):
    """A value an admin (or the product itself) stored, sealed whatever it is."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=sealed("setting:{name}"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Effective(NamedTuple):
    """A setting's value in force and where it comes from: `environment`, `database` or `default`."""

    setting: Setting
    value: Any
    source: str


_SEALED = select(StoredSetting.sealed).where(StoredSetting.name == bindparam("of"))


def stored(name: str, sealer: Sealer) -> str | None:
    """The stored text of `name`, or None. Raises `CannotOpen` under other keys."""
    sealed = sealed_text(name)
    return None if sealed is None else sealer.open(sealed, place(name)).decode()


def kept(name: str, sealer: Sealer) -> str | None:
    """As `stored`, in the caller's transaction: until it ends, nobody forgets what was found."""
    # The weakest lock that a DELETE waits for: who stores another text, or seals it anew, waits for nobody.
    held = _SEALED.with_for_update(read=True, key_share=True)
    sealed = must_write().scalar(held, {"of": name})
    return None if sealed is None else sealer.open(sealed, place(name)).decode()


def sealed_text(name: str) -> bytes | None:
    """What is stored of `name`, sealed for its `place`."""
    return db.session.scalar(_SEALED, {"of": name})


_ALL_SEALED = select(StoredSetting.name, StoredSetting.sealed).where(
    StoredSetting.name.in_(bindparam("of", expanding=True))
)


def marks(names: tuple[str, ...]) -> dict[str, bytes]:
    """What is stored of several names, sealed: to see whether any was stored anew, without opening it."""
    return {row.name: row.sealed for row in db.session.execute(_ALL_SEALED, {"of": names})} if names else {}


def place(name: str) -> str:
    """What a stored setting is bound to."""
    return f"setting:{name}"


def store(name: str, text: str, sealer: Sealer, now: datetime) -> None:
    """Stores `text` in the caller's transaction."""
    sealed = sealer.seal(text.encode(), place(name))
    put(StoredSetting, {"name": name}, {"sealed": sealed, "changed_at": now})


def clear(name: str) -> bool:
    """Forgets a stored value in the caller's transaction: the default is in force again. False: there was none, or
    another was quicker to forget it."""
    return bool(must_write().execute(delete(StoredSetting).where(StoredSetting.name == name)).rowcount)  # type: ignore[attr-defined]


def effective(setting: Setting, settings: Settings, sealer: Sealer) -> Effective:
    """The value in force of one setting."""
    if setting.name in settings.given or not setting.runtime:
        source = "environment" if setting.name in settings.given else "default"
        return Effective(setting, getattr(settings, setting.field), source)
    text = stored(setting.name, sealer)
    if text is None:
        return Effective(setting, getattr(settings, setting.field), "default")
    return Effective(setting, setting.parse(text), "database")


def all_effective(settings: Settings, sealer: Sealer) -> list[Effective]:
    """Every setting with its value in force, in the list's order."""
    return [effective(setting, settings, sealer) for setting in SETTINGS]


def value(name: str, settings: Settings, sealer: Sealer) -> Any:
    """The value in force of the setting called `name`."""
    return effective(next(s for s in SETTINGS if s.name == name), settings, sealer).value
