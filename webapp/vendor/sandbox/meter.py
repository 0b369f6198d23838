"""The sandbox's side of the vendor's own counter: checks the signed request, answers with its books. Pure: no I/O.

`DescribeApiMetering` under a path of its own, for `/` is the page for people; the signature is over `/` all the same,
as the style has it. Sources: vendor.md section 4; codes and statuses of the RPC style's common errors.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from webapp.vendor.sandbox.answers import JSON_TYPE, Answer
from webapp.vendor.sandbox.front_door import Request
from webapp.vendor.sandbox.meter_scenarios import ROWS, MeterScenario


class Key(NamedTuple):
    """An AccessKey pair."""

    id: str
    secret: str


PATH = "/market"
KEY = Key("sandbox-access-key", "sandbox-access-key-secret")
"""The only key a sandbox knows; it opens nothing else, so it is no secret."""
SKEW = timedelta(minutes=15)
"""How far the time that was signed may lie from the vendor's clock."""
PRODUCT = "cmapi025518"
OTHERS = (("cmapi00012345", 98, 220), ("cmapi00054321", 0, 500), ("cmapi00099999", 7, 3))
"""Other products of the same account: what remains and what is used."""


class Books(NamedTuple):
    """What the counter says: `used` of `total` calls."""

    used: int
    total: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the counter reads it. Never shows the key in a repr."""

    method: str
    parameters: dict[str, str] = field(repr=False)


def owns(request: Request) -> bool:
    """Whether this request is for the counter."""
    return request.path.rstrip("/") == PATH


def read(request: Request) -> Asked:
    """The parameters of query and form together."""
    pairs = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    pairs += parse_qsl((request.body or b"").decode("latin-1"), keep_blank_values=True)
    return Asked(request.method, dict(pairs))


def answer(
    asked: Asked, books: Books, now: datetime, *, page_size: int = 20, scenario: str | None = None,
    is_new: Callable[[str], bool] = lambda _nonce: True,
) -> Answer:  # fmt: skip
    """One page, or the refusal. `is_new`: whether this nonce was never sent before."""
    refusal = _check_key(asked) or _check_time(asked, now) or _check_action(asked)
    if refusal is not None:
        return refusal
    if not is_new(asked.parameters["SignatureNonce"]):
        return refuse(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
    if scenario in REFUSALS:
        return REFUSALS[scenario]
    return _page(asked, books, page_size, scenario)


def refuse(status: int, code: str, message: str) -> Answer:
    """A refusal as the RPC style words it."""
    said = {"RequestId": _REQUEST_ID, "HostId": "market.aliyuncs.com", "Code": code, "Message": message}
    return _json(said, status)


def _check_key(asked: Asked) -> Answer | None:
    given = asked.parameters
    required = ("AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp")
    for name in required:
        if not given.get(name):
            return refuse(400, f"Missing{name}", f"{name} is mandatory for this action.")
    if given["AccessKeyId"] != KEY.id:
        return refuse(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    right = _signature(asked)
    if not hmac.compare_digest(given["Signature"].encode(), right.encode()):
        return refuse(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
    return None


def _signature(asked: Asked) -> str:
    """HMAC-SHA1 over method, path and all other parameters, sorted and encoded (signature version 1.0)."""
    pairs = sorted((name, text) for name, text in asked.parameters.items() if name != "Signature")
    query = "&".join(f"{quote(name, safe='~')}={quote(text, safe='~')}" for name, text in pairs)
    signed = "&".join((asked.method, "%2F", quote(query, safe="~")))
    return base64.b64encode(hmac.new(f"{KEY.secret}&".encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _check_time(asked: Asked, now: datetime) -> Answer | None:
    text = asked.parameters["Timestamp"]
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        return refuse(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
    signed = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if abs(now - signed) > SKEW:
        return refuse(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
    return None


def _check_action(asked: Asked) -> Answer | None:
    given = asked.parameters
    if (given.get("Action"), given.get("Version")) != ("DescribeApiMetering", "2015-11-01"):
        return refuse(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
    number = given.get("pageNum", "")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number[:6]) <= 10_000:
        return refuse(400, "MissingPageNum", "PageNum is mandatory for this action.")
    return None


def _page(asked: Asked, books: Books, size: int, scenario: str | None) -> Answer:
    ours = _row(PRODUCT, books.total - books.used, books.used)
    rows = [_row(*other) for other in OTHERS] if scenario in _WITH_OTHERS else []
    if scenario != MeterScenario.ONLY_OTHERS and asked.parameters.get("productCode", PRODUCT) == PRODUCT:
        rows += ROWS[scenario](ours) if scenario in ROWS else [ours]
    number = int(asked.parameters["pageNum"])
    endless = scenario == MeterScenario.ENDLESS_PAGES
    shown = rows if endless else rows[(number - 1) * size : number * size]
    said = {
        "RequestId": _REQUEST_ID, "Code": "200", "Message": "success", "Success": True, "Fatal": False,
        "Version": "1.0", "PageNumber": number, "PageSize": size, "Count": 10**6 if endless else len(rows),
        "Result": shown,
    }  # fmt: skip
    return _json(said, 200)


def _row(product: str, remaining: int, used: int) -> dict[str, object]:
    return {
        "AliyunPk": 1022778557490000, "ProductCode": product, "ProductName": "演练服务", "TotalQuota": remaining,
        "TotalUsage": used, "TotalCapacity": remaining + used, "Unit": "次",
    }  # fmt: skip


def _json(said: Mapping[str, object], status: int) -> Answer:
    body = json.dumps(said, ensure_ascii=False).encode()
    return Answer(status, (("Content-Type", JSON_TYPE),), body, code=str(said.get("Code", "")))


_REQUEST_ID = "62FC432C-55A1-A635-34A6-CB3400000000"
_WITH_OTHERS = (MeterScenario.OTHER_PRODUCTS, MeterScenario.ONLY_OTHERS)
REFUSALS: dict[str | None, Answer] = {
    MeterScenario.THROTTLED: refuse(400, "Throttling.User", "Request was denied due to user flow control."),
    MeterScenario.FORBIDDEN: refuse(403, "Forbidden.RAM", "User not authorized to operate on the specified resource."),
    MeterScenario.INACTIVE_KEY: refuse(403, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."),
    MeterScenario.INTERNAL_ERROR: refuse(500, "InternalError", "The request processing has failed."),
    MeterScenario.UNAVAILABLE: Answer(503, (("Content-Type", "text/html"),), b"<h1>503</h1>"),
    MeterScenario.REDIRECT: Answer(302, (("Location", "https://login.example/"),)),
    MeterScenario.NOT_JSON: Answer(200, (("Content-Type", "text/html"),), b"<html>log in</html>"),
    MeterScenario.TOO_LARGE: Answer(200, (("Content-Type", JSON_TYPE),), b'{"Result": "' + b"x" * 100_000 + b'"}'),
    MeterScenario.NOT_SUCCESS: _json({"RequestId": _REQUEST_ID, "Code": "500", "Success": False, "Result": []}, 200),
}
