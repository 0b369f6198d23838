"""What one running instance is made of, and how its parts reach it: settings, keys, sealer, kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from flask import current_app

from webapp.foundation.keys import Keys
from webapp.foundation.sealing import Sealer
from webapp.foundation.values import is_loopback
from webapp.settings import SANDBOX, Settings

NAME = "yuliang"


@dataclass(frozen=True, slots=True)
class Instance:
    """Settings, keys and sealer of this process."""

    settings: Settings
    keys: Keys
    sealer: Sealer

    @property
    def kind(self) -> str:
        """`sandbox` where the vendor is the built-in one or stands on this machine, else `live`."""
        return vendor_kind(self.settings)


def vendor_kind(settings: Settings) -> str:
    """`sandbox` or `live`, by where the vendor's address points."""
    url = settings.vendor_url
    return "sandbox" if url == SANDBOX or is_loopback(urlsplit(url).hostname) else "live"


def this_instance() -> Instance:
    """The instance of the present app context."""
    return cast(Instance, current_app.extensions[NAME])
