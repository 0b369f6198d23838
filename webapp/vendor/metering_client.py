"""The client of the vendor's own counter, `DescribeApiMetering`: all pages, one product, figures or a typed failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from typing import Any
from uuid import uuid4

import requests
from urllib3.exceptions import HTTPError

from webapp.vendor import rpc
from webapp.vendor.attempt import CURRENT, Attempt, Resolver, resolve
from webapp.vendor.contract import BODY_LIMIT
from webapp.vendor.metering_answer import Failure, Fault, Figures, Page, figures, read_page
from webapp.vendor.route import Route
from webapp.vendor.rpc import AccessKey
from webapp.vendor.transport import open_session

PRODUCT = "cmapi025518"
"""The verification API's code in the market (manual, product page)."""
VERSION = "2015-11-01"
PACKAGES = "1"
"""Type: calls bought in packages."""
MOST_PAGES = 50

_FAILURES = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "yuliang"}


class MeteringClient:
    """Reads the counter at `route.url`, never more than `route.deadline` seconds. Safe for threads.

    Redirects are not followed, environment variables not read, bodies cut at 64 KB; the proxy serves https only.
    Raises ValueError for a CA bundle that cannot be read.
    """

    def __init__(
        self, route: Route, *, clock: Callable[[], float] = time.monotonic, resolver: Resolver = resolve
    ) -> None:
        self._route = route
        self._clock = clock
        self._resolver = resolver
        self._session = open_session(tls=route.is_tls, ca_bundle=route.ca_bundle)

    def read(self, key: AccessKey, now: datetime) -> Figures | Failure:
        """The product's figures; `now` is signed, so it must be the real time. Never raises for vendor or network."""
        ends = self._clock() + self._route.deadline
        rows: list[dict[str, Any]] = []
        for number in range(1, MOST_PAGES + 1):
            page = self._page(number, key, now, ends)
            if isinstance(page, Failure):
                return page
            rows += page.rows
            if len(rows) >= page.count:
                return figures(rows, PRODUCT, page.request_id)
            if not page.rows:
                return Failure(Fault.PAGES, request_id=page.request_id)
        return Failure(Fault.PAGES)

    def close(self) -> None:
        """Closes the pooled connections that are not in use."""
        self._session.close()

    def _page(self, number: int, key: AccessKey, now: datetime, ends: float) -> Page | Failure:
        asked = {
            "Action": "DescribeApiMetering", "productCode": PRODUCT, "type": PACKAGES, "pageNum": str(number),
        }  # fmt: skip
        query = rpc.query(asked, key, now, str(uuid4()), version=VERSION)
        route = self._route
        attempt = Attempt(ends, route.connect_timeout, route.read_timeout, 0.0, self._clock, self._resolver)
        token = CURRENT.set(attempt)
        try:
            status, body = self._exchange(f"{route.url.rstrip('/')}/?{query}")
        except _FAILURES:
            return Failure(Fault.NO_ANSWER if attempt.sent else Fault.NETWORK)
        finally:
            CURRENT.reset(token)
        if len(body) > BODY_LIMIT:
            return Failure(Fault.TOO_LARGE, http_status=status)
        return read_page(status, body)

    def _exchange(self, url: str) -> tuple[int, bytes]:
        route = self._route
        request = requests.Request("GET", url, headers=_HEADERS).prepare()
        with self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            verify=True,
            proxies=route.proxies,
            timeout=(route.connect_timeout, route.read_timeout),
        ) as response:
            return response.status_code, _read_body(response)


def _read_body(response: requests.Response) -> bytes:
    """The body as sent, of an overlong one a byte too much. Raises where it breaks off."""
    received = bytearray()
    while (wanted := BODY_LIMIT + 1 - len(received)) and (chunk := response.raw.read1(wanted, decode_content=False)):
        received += chunk
    return bytes(received)
