"""The vendor as this instance reaches it: its address, its AppCode, one pooled client per process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from webapp.foundation import runtime
from webapp.foundation.database import end_read
from webapp.foundation.instance import vendor_kind
from webapp.foundation.redaction import conceal
from webapp.foundation.sealing import Sealer
from webapp.settings import SANDBOX, Settings
from webapp.vendor.client import Route, VendorClient
from webapp.vendor.contract import Reply

SANDBOX_ADDRESS = "sandbox.url"
"""File of the instance folder in which a running sandbox leaves its address."""
SANDBOX_APPCODE = "sandbox"
NOWHERE = "http://127.0.0.1:9"
"""Where calls go while no sandbox runs: the discard port, which refuses them."""


class Vendor:
    """Verifies people through the vendor's API; safe to share among threads, made anew in each process."""

    def __init__(self, settings: Settings, sealer: Sealer) -> None:
        self._settings = settings
        self._sealer = sealer
        self._lock = threading.Lock()
        self._client: VendorClient | None = None
        self._url = ""
        self.own_sandbox: str | None = None
        """Address of the sandbox that was started with this process: no other that starts and stops can move it."""

    def ready(self) -> Callable[[str, str], Reply]:
        """What makes one paid call of a name and a number. All that can fail before a call fails here, so that an
        intent is only stored for a call that can be made; the call itself touches no database and never raises.
        """
        appcode = self._appcode()
        end_read()
        client = self._reach()

        def call(name: str, number: str) -> Reply:
            conceal(appcode)
            return client.verify(name, number, appcode=appcode)

        return call

    def has_appcode(self) -> bool:
        """Whether calls can be made at all."""
        return bool(self._appcode())

    def close(self) -> None:
        """Closes pooled connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _appcode(self) -> str:
        stored = runtime.value("YULIANG_APPCODE", self._settings, self._sealer)
        return stored or (SANDBOX_APPCODE if vendor_kind(self._settings) == "sandbox" else "")

    def address(self) -> str:
        """Where calls go now."""
        url = self._settings.vendor_url
        if url == SANDBOX:
            url = self.own_sandbox or sandbox_address(self._settings.instance) or NOWHERE
        return url

    def _reach(self) -> VendorClient:
        url = self.address()
        with self._lock:
            if self._client is None or url != self._url:
                # A call under way keeps the client it has; its connections close when it lets go of it.
                self._client, self._url = VendorClient(route_to(url, self._settings)), url
            return self._client


def route_to(url: str, settings: Settings) -> Route:
    """How `url` is reached, by the settings of every outgoing call."""
    return Route(
        url=url,
        connect_timeout=settings.vendor_connect_timeout,
        read_timeout=settings.vendor_read_timeout,
        deadline=settings.vendor_deadline,
        proxy_url=settings.proxy_url,
        ca_bundle=str(settings.ca_bundle) if settings.ca_bundle else None,
    )


def sandbox_address(instance: Path) -> str | None:
    """Where this instance's sandbox listens; None while none runs."""
    try:
        return (instance / SANDBOX_ADDRESS).read_text(encoding="ascii").strip() or None
    except OSError:
        return None
