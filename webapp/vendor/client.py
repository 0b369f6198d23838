"""The client of the vendor's API: one paid call, made with care, and what came of it."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.client import HTTPException
from urllib.parse import quote, urlencode

import requests
from urllib3.exceptions import HTTPError

from webapp.vendor import codes, retrying
from webapp.vendor.attempt import CURRENT, Attempt, Resolver, resolve
from webapp.vendor.contract import BODY_LIMIT, Billed, Reply, Retry
from webapp.vendor.reading import Answer, read_answer
from webapp.vendor.route import Route
from webapp.vendor.transport import open_session

__all__ = ["Route", "VendorClient"]

_FAILURES = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
"""Whatever a network or a vendor can make requests, urllib3, http.client and sockets raise."""
_ANSWER_TIME = 2.0
"""Seconds that must be left of the deadline to send anything."""
_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "yuliang",
}


class VendorClient:
    """Verifies people over one pooled session. Safe for threads; made anew after a fork.

    `deducted`: see codes.DEDUCTED, read at every answer. `clock` (monotonic seconds), `sleep`, `chance`
    (0 to 1) and `resolver` are the seams to time, luck and names. Raises ValueError for a host that cannot
    be one and a CA bundle that cannot be read.
    """

    def __init__(
        self,
        route: Route,
        *,
        deducted: Mapping[str, Billed] = codes.DEDUCTED,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        resolver: Resolver = resolve,
    ) -> None:
        self._route = route
        self._deducted = deducted
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._resolver = resolver
        self._answer_time = min(_ANSWER_TIME, route.read_timeout, route.deadline / 4)
        self._template = requests.Request("POST", route.endpoint, headers=_HEADERS).prepare()
        self._session = open_session(tls=route.is_tls, ca_bundle=route.ca_bundle)

    def verify(self, name: str, id_number: str, *, appcode: str) -> Reply:
        """One verification, retried only where that cannot spend twice. Never raises for vendor or network.

        Blocks at most the route's deadline: hold no transaction open meanwhile. What the reply says of
        `billed` is true of all attempts: one that may have been deducted is always the last.
        """
        if not appcode or any(not "!" <= character <= "~" for character in appcode):
            return _unsent(codes.APPCODE_INVALID)
        try:
            form = urlencode({"idNo": id_number, "name": name}, quote_via=quote, safe="").encode("ascii")
        except UnicodeEncodeError:
            return _unsent(codes.REQUEST_MALFORMED)
        request = self._template.copy()
        request.headers["Authorization"] = f"APPCODE {appcode}"
        request.prepare_body(form, None)
        began = self._clock()
        reply = self._persist(request, began + self._route.deadline)
        return replace(reply, latency_ms=round((self._clock() - began) * 1000))

    def close(self) -> None:
        """Closes the pooled connections that are not in use."""
        self._session.close()

    def _persist(self, request: requests.PreparedRequest, ends: float) -> Reply:
        retries: list[Retry] = []
        while True:
            reply = self._attempt(request, ends)
            pause = retrying.pause(reply.retry, retries, self._chance())
            if pause is None or self._clock() + pause + self._answer_time > ends:
                return replace(reply, attempts=len(retries) + 1)
            retries.append(reply.retry)
            self._sleep(pause)

    def _attempt(self, request: requests.PreparedRequest, ends: float) -> Reply:
        route = self._route
        attempt = Attempt(
            ends, route.connect_timeout, route.read_timeout, self._answer_time, self._clock, self._resolver
        )
        token = CURRENT.set(attempt)
        try:
            answer = self._exchange(request)
        except _FAILURES:
            row = codes.NO_ANSWER if attempt.sent else codes.NETWORK
            return replace(_unsent(row), attempts=1)
        finally:
            CURRENT.reset(token)
        return read_answer(answer, self._deducted)

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        route = self._route
        with self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            verify=True,
            proxies=route.proxies,
            timeout=(route.connect_timeout, route.read_timeout),
        ) as response:
            body, broken = _read_body(response)
            return Answer(response.status_code, response.headers, body, broken)


def _read_body(response: requests.Response) -> tuple[bytes, bool]:
    """The body as sent, of an overlong one a byte too much; and whether it broke off."""
    received = bytearray()
    try:
        while (wanted := BODY_LIMIT + 1 - len(received)) and (
            chunk := response.raw.read1(wanted, decode_content=False)
        ):
            received += chunk
    except _FAILURES:
        return bytes(received), True
    return bytes(received), False


def _unsent(row: codes.Row) -> Reply:
    return Reply(row.outcome, row.billed, row.cause, row.retry, row.stop)
