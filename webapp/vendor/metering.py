"""The vendor's own counter as this instance reaches it: its address, its AccessKey, one pooled client per process."""

from __future__ import annotations

import threading
from datetime import datetime

from webapp.foundation import runtime
from webapp.foundation.database import end_read
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import conceal
from webapp.foundation.sealing import Sealer
from webapp.settings import SANDBOX, Settings
from webapp.vendor.calling import Vendor, route_to
from webapp.vendor.contract import PATH
from webapp.vendor.metering_answer import Failure, Figures
from webapp.vendor.metering_client import MeteringClient
from webapp.vendor.rpc import AccessKey
from webapp.vendor.sandbox.meter import KEY as SANDBOX_KEY
from webapp.vendor.sandbox.meter import PATH as SANDBOX_PATH

URL, KEY_ID, KEY_SECRET = "YULIANG_METERING_URL", "YULIANG_ACCESS_KEY_ID", "YULIANG_ACCESS_KEY_SECRET"


def asks_sandbox() -> bool:
    """Whether this instance's counter is a sandbox's: it counts calls, and knows nothing of the lots recorded here."""
    instance = this_instance()
    return instance.kind == "sandbox" and URL not in instance.settings.given


class Meter:
    """Reads the vendor's counter; safe to share among threads, made anew in each process."""

    def __init__(self, settings: Settings, sealer: Sealer, vendor: Vendor) -> None:
        self._settings = settings
        self._sealer = sealer
        self._vendor = vendor
        self._lock = threading.Lock()
        self._client: MeteringClient | None = None
        self._url = ""

    @property
    def is_sandbox(self) -> bool:
        """Whether the counter asked is a sandbox's, which may be asked as often as one likes."""
        return asks_sandbox()

    def is_set(self) -> bool:
        """Whether the counter can be asked at all."""
        return self._key() is not None

    def asks_by_itself(self) -> bool:
        """Whether a job may ask unbidden: not some stand-in at an address of its own, which knows no such question."""
        return self.is_set() and (not self.is_sandbox or self._settings.vendor_url == SANDBOX)

    def read(self, now: datetime) -> Figures | Failure:
        """Asks now. Hold no transaction open meanwhile. Raises `RuntimeError` where no key is set."""
        key = self._key()
        if key is None:
            raise RuntimeError("no AccessKey is set")
        end_read()
        conceal(key.id, key.secret)
        return self._reach().read(key, now)

    def close(self) -> None:
        """Closes pooled connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _key(self) -> AccessKey | None:
        found = [runtime.value(name, self._settings, self._sealer) for name in (KEY_ID, KEY_SECRET)]
        if all(found):
            return AccessKey(*found)
        return AccessKey(*SANDBOX_KEY) if self.is_sandbox else None

    def _reach(self) -> MeteringClient:
        settings, url = self._settings, self._settings.metering_url
        if self.is_sandbox:
            url = self._vendor.address().removesuffix(PATH) + SANDBOX_PATH
        with self._lock:
            if self._client is None or url != self._url:
                self._client, self._url = MeteringClient(route_to(url, settings)), url
            return self._client
