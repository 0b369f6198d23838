"""The gateway's checks before anything reaches the backend: address, AppCode, body. Pure: no I/O.

Order and codes follow the vendor's error table; what it leaves open is decided here and documented in
docs/sandbox.md. The vendor's own counter stands beside it in meter.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from email.message import Message
from urllib.parse import parse_qsl, urlsplit

from webapp.vendor.sandbox.answers import Answer, Asked, gateway

API_PATH = "/idenAuthentication"
API_HOST = "idenauthen.market.alicloudapi.com"
MOST_BODY_BYTES = 65_536
_FORM = "application/x-www-form-urlencoded"

REFUSED_APPCODES: dict[str, str] = {"wrong": "A400AC", "unsubscribed": "I403AA", "expired": "A403EP"}
"""AppCodes that are refused where any other is accepted, and the code of the refusal."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `body` is None where it was larger than MOST_BODY_BYTES. Never shows it in a repr."""

    method: str
    target: str = field(repr=False)
    headers: Message = field(repr=False)
    body: bytes | None = field(repr=False)

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    @property
    def appcode_in_url(self) -> str:
        """An AppCode in the query works with the real gateway, and ends up in access logs."""
        query = self.target.partition("?")[2]
        given = {key.lower(): value for key, value in parse_qsl(query)}
        return given.get("appcode", "")


def enter(request: Request, *, appcode: str | None, today: date) -> Asked | Answer:
    """What is asked, or the gateway's refusal. `appcode`: the only one accepted, None for almost any."""
    return (
        _check_address(request)
        or _check_appcode(request, appcode)
        or _check_body(request)
        or _read_form(request.body or b"", today)
    )


def _check_address(request: Request) -> Answer | None:
    host = _host(request.headers.get("Host", ""))
    if host.endswith(".alicloudapi.com") and host != API_HOST:
        return _refuse("I404DO")
    if request.path != API_PATH:
        return _refuse("I404NF")
    if request.method != "POST":
        return _refuse("I405UM")
    return None


def _check_appcode(request: Request, only: str | None) -> Answer | None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.upper() != "APPCODE":
        given = request.appcode_in_url
    if not given or " " in given:
        return _refuse("A401AC")
    if only is not None and given != only:
        return _refuse("A400AC")
    if only is None and given in REFUSED_APPCODES:
        return _refuse(REFUSED_APPCODES[given])
    return None


def _check_body(request: Request) -> Answer | None:
    if request.body is None:
        return _refuse("I413RL")
    given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if given != _FORM:
        return _refuse("I400CT")
    return None


def _read_form(body: bytes, today: date) -> Asked | Answer:
    # Bytes that were not percent-encoded are read as Latin-1, as servlet containers do: such names garble.
    fields: dict[str, str] = {}
    for key, value in parse_qsl(body.decode("latin-1"), keep_blank_values=True, errors="replace"):
        fields.setdefault(key, value)
    for required in ("idNo", "name"):
        if required not in fields:
            return _refuse("I400MP", f"Invalid Parameter Required `{required}`")
    return Asked(fields["name"], fields["idNo"], today)


def _refuse(code: str, message: str = "") -> Answer:
    nobody = Asked("", "", date.min)
    return gateway(code, message)(nobody)


def _host(header: str) -> str:
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""
