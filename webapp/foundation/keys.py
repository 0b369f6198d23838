"""Keys: from the settings, else from files in the instance folder, generated there once with mode 0600."""

from __future__ import annotations

import base64
import os
import re
import secrets
from dataclasses import dataclass, field
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

    return Keys(
        session=text("secret_key", settings.secret_key),
        data=parse_keys("YULIANG_DATA_KEYS", text("data_keys", settings.data_keys)),
        index=parse_keys("YULIANG_INDEX_KEYS", text("index_keys", settings.index_keys)),
        audit=parse_keys("YULIANG_AUDIT_KEY", text("audit_key", settings.audit_key)),
        generated=tuple(generated),
    )


def _from_file(path: Path, generated: list[Path]) -> str:
    """The file's text; made first where it is missing. Many processes may start at once: the first file wins."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"k1:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
                generated.append(path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        fault = f"the folder cannot hold keys ({error}). Make it writable for this user or name another folder."
        raise SettingsError("YULIANG_INSTANCE", fault, "/var/lib/yuliang") from error
    if not text:
        fault = f"holds an empty key file ({path}). Put the backed-up one in its place."
        raise SettingsError("YULIANG_INSTANCE", fault, "/var/lib/yuliang")
    return text
