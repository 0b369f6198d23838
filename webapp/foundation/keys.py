"""Keys: from the settings, else from files in the instance folder, generated there once with mode 0600."""

from __future__ import annotations

import base64
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from webapp.settings import Settings, SettingsError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """A named 256-bit key. Its bytes do not show in `repr`."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of an instance. Of each kind the first seals or indexes, and all open, search or verify."""

    session: str = field(repr=False)
    data: tuple[Key, ...]
    index: tuple[Key, ...]
    audit: tuple[Key, ...]
    generated: tuple[Path, ...] = ()
    """Files made by this call: the admin must be told to back them up."""


def parse_keys(variable: str, text: str) -> tuple[Key, ...]:
    """Reads `id:base64[,id:base64…]`, each of 32 bytes. Raises `SettingsError`."""
    example = "k1:" + "A" * 43 + "="
    keys: list[Key] = []
    for part in text.split(","):
        key_id, _, encoded = part.strip().partition(":")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", key_id):
            raise SettingsError(variable, "needs the form id:base64, the id of 1 to 16 letters or digits.", example)
        try:
            secret = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise SettingsError(variable, f"key {key_id} is not base64.", example) from None
        if len(secret) != KEY_BYTES:
            raise SettingsError(variable, f"key {key_id} has {len(secret)} bytes instead of 32.", example)
        if any(key.id == key_id for key in keys):
            raise SettingsError(variable, f"names key {key_id} twice.", example)
        keys.append(Key(key_id, secret))
    return tuple(keys)


def load_keys(settings: Settings, *, make: bool = True) -> Keys:
    """The instance's keys; missing ones are made where `make`, which must not be where data is sealed already.

    Raises `SettingsError` where one is wrong or missing, or the folder cannot be written.
    """
    folder = settings.instance / "keys"
    generated: list[Path] = []

    def text(name: str, given: str) -> str:
        if not given and not make and not (folder / name).exists():
            raise SettingsError(
                f"YULIANG_{name.upper()}",
                f"is missing: the database was made with a key that lay in {folder / name}. "
                "Put the backed-up key in its place; a new one opens nothing.",
                "k1:base64-of-32-bytes",
            )
        return given or _from_file(folder / name, generated)

    def keys(variable: str, name: str, given: str) -> tuple[Key, ...]:
        content = text(name, given)
        try:
            return parse_keys(variable, content)
        except SettingsError as error:
            if given:
                raise
            fault = f"holds a wrong key file ({folder / name}): {error.fault} Put the backed-up one in its place."
            raise SettingsError("YULIANG_INSTANCE", fault, "/var/lib/yuliang") from error

    return Keys(
        session=text("secret_key", settings.secret_key),
        data=keys("YULIANG_DATA_KEYS", "data_keys", settings.data_keys),
        index=keys("YULIANG_INDEX_KEYS", "index_keys", settings.index_keys),
        audit=keys("YULIANG_AUDIT_KEY", "audit_key", settings.audit_key),
        generated=tuple(generated),
    )


def key_file(name: str, settings: Settings) -> Path | None:
    """The file that holds `data_keys` or `index_keys`; None where the environment gives them."""
    return None if getattr(settings, name) else settings.instance / "keys" / name


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Holds the folder of the keys: of all that change its files, processes and threads, one goes in at a time.

    No transaction may be open before: whoever is inside may need the database. It ends with its process.
    """
    folder = settings.instance / "keys"
    if not folder.is_dir():
        yield  # the environment gives all of them
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def add_key(path: Path, taken: set[str]) -> str:
    """Adds a new key behind those in the file, under an id that is not `taken`: it opens and searches, and nothing is
    sealed with it before it stands in front. Returns its id. The caller is `alone` until the database knows the key."""
    known = path.read_text(encoding="ascii").strip()
    taken = taken | {part.partition(":")[0].strip() for part in known.split(",")}
    key_id = next(f"k{number}" for number in count(2) if f"k{number}" not in taken)
    secret = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    _replace(path, f"{known},{key_id}:{secret}")
    return key_id


def put_first(path: Path, key_id: str) -> None:
    """Moves a key of the file to the front. The caller is `alone`."""
    parts = [part.strip() for part in path.read_text(encoding="ascii").split(",")]
    _replace(path, ",".join(sorted(parts, key=lambda part: not part.startswith(f"{key_id}:"))))


def _replace(path: Path, text: str) -> None:
    """Writes the file anew: whoever reads it, and whatever is killed, finds the former text or this one, whole."""
    draft = _draft(path, text)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _from_file(path: Path, generated: list[Path]) -> str:
    """The file's text; made first where it is missing. Many processes may start at once: the first file wins."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            draft = _draft(path, f"k1:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}")
            try:
                os.link(draft, path)
                generated.append(path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        text = path.read_text(encoding="ascii").strip()
    except (UnicodeDecodeError, IsADirectoryError) as error:
        fault = f"holds something that is no key file ({path}). Put the backed-up one in its place."
        raise SettingsError("YULIANG_INSTANCE", fault, "/var/lib/yuliang") from error
    except OSError as error:
        fault = f"the folder cannot hold keys ({error}). Make it writable for this user or name another folder."
        raise SettingsError("YULIANG_INSTANCE", fault, "/var/lib/yuliang") from error
    if not text:
        fault = f"holds an empty key file ({path}). Put the backed-up one in its place."
        raise SettingsError("YULIANG_INSTANCE", fault, "/var/lib/yuliang")
    return text
