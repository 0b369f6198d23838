"""What one running instance is made of, and how its parts reach it: settings, keys, sealer, kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import urlsplit

from flask import current_app

from webapp.foundation.keys import Key, Keys
from webapp.foundation.sealing import Sealer
from webapp.foundation.values import is_loopback
from webapp.settings import SANDBOX, Settings

NAME = "yuliang"
KIND = "instance_kind"
"""Name under which a database remembers what it is for (see `runtime.stored`)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Settings, keys and sealer of this process, and what it is for: `sandbox` or `live`."""

    settings: Settings
    keys: Keys
    sealer: Sealer
    kind: str


def vendor_kind(settings: Settings) -> str:
    """What a new database is for: `sandbox` where the vendor is the built-in one or stands on this machine."""
    url = settings.vendor_url
    return "sandbox" if url == SANDBOX or is_loopback(urlsplit(url).hostname) else "live"


def be(kind: str) -> None:
    """Makes the instance of the present app one of this kind: what its database says is in force."""
    current_app.extensions[NAME] = replace(this_instance(), kind=kind)


def hold_audit(keys: tuple[Key, ...]) -> None:
    """From now on these are the audit keys of the present app: the first stamps and seals."""
    instance = this_instance()
    current_app.extensions[NAME] = replace(instance, keys=replace(instance.keys, audit=keys))


def this_instance() -> Instance:
    """The instance of the present app context."""
    return cast(Instance, current_app.extensions[NAME])
