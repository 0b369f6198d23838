"""What an answer of the vendor's own counter means: status and body in, rows or a typed failure out. Pure: no I/O.

`TotalQuota` is what remains, `TotalUsage` what is used, `TotalCapacity` the total (vendor.md section 4, sample
98 / 220 / 318): an answer in which remaining and used do not make the total is refused, whatever else it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

MOST = 1_000_000_000
"""Calls: more than 200 of the biggest packages; a figure above it is a fault of somebody."""
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Fault(StrEnum):
    """Why the vendor's counter could not be read."""

    KEY_UNKNOWN = "key_unknown"
    KEY_INACTIVE = "key_inactive"
    SIGNATURE = "signature"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    CLOCK = "clock"
    REQUEST = "request"
    VENDOR = "vendor"
    NO_ANSWER = "no_answer"
    NETWORK = "network"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    REFUSED = "refused"
    SHAPE = "shape"
    NEGATIVE = "negative"
    HUGE = "huge"
    INVARIANT = "invariant"
    NOT_FOUND = "not_found"
    CONTRADICTION = "contradiction"
    PAGES = "pages"


class Figures(NamedTuple):
    """The vendor's count of all packages of the product together: `used` + `remaining` = `total`."""

    used: int
    total: int
    request_id: str = ""

    @property
    def remaining(self) -> int:
        return self.total - self.used


class Failure(NamedTuple):
    """No figures. `code` is the vendor's word for it, if it said one; support asks for `request_id`."""

    fault: Fault
    code: str = ""
    http_status: int | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the answer: its rows as they came, how many there are on all pages, how many fit on one."""

    rows: list[dict[str, Any]]
    count: int
    size: int
    request_id: str


def read_page(status: int, body: bytes) -> Page | Failure:
    """One page, or why it is none."""
    try:
        content = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        content = None
    said = content if isinstance(content, dict) else {}
    code, request_id = _word(said.get("Code")), _word(said.get("RequestId"))
    if status != 200:
        return Failure(_fault(code, status), code, status, request_id)
    if not said:
        return Failure(Fault.NOT_JSON, "", status)
    if said.get("Success") is False or code not in ("", "200"):
        return Failure(Fault.REFUSED, code, status, request_id)
    rows, count, size = said.get("Result"), said.get("Count"), said.get("PageSize")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return Failure(Fault.SHAPE, code, status, request_id)
    if not _is_count(count) or not _is_count(size):
        return Failure(Fault.SHAPE, code, status, request_id)
    return Page(rows, int(count), int(size), request_id)  # type: ignore[arg-type]  # both were checked


def figures(rows: Iterable[dict[str, Any]], product: str, request_id: str) -> Figures | Failure:
    """The product's figures among the rows of all pages; rows of other products are not looked at."""
    found = [_row(row) for row in rows if row.get("ProductCode") == product]
    if not found:
        return Failure(Fault.NOT_FOUND, request_id=request_id)
    if faults := [one for one in found if isinstance(one, Fault)]:
        return Failure(faults[0], request_id=request_id)
    if len(set(found)) > 1:  # the same row twice is a page that moved while it was read
        return Failure(Fault.CONTRADICTION, request_id=request_id)
    [(used, total)] = {one for one in found if isinstance(one, tuple)}
    return Figures(used, total, request_id)


def _row(row: dict[str, Any]) -> tuple[int, int] | Fault:
    remaining, used, total = (row.get(name) for name in ("TotalQuota", "TotalUsage", "TotalCapacity"))
    for figure in (remaining, used, total):
        if not isinstance(figure, int) or isinstance(figure, bool):
            return Fault.SHAPE
    assert isinstance(remaining, int) and isinstance(used, int) and isinstance(total, int)  # noqa: S101, PT018
    if min(remaining, used, total) < 0:
        return Fault.NEGATIVE
    if max(remaining, used, total) > MOST:
        return Fault.HUGE
    return (used, total) if remaining + used == total else Fault.INVARIANT


_CODES: tuple[tuple[str, Fault], ...] = (
    ("InvalidAccessKeyId.Inactive", Fault.KEY_INACTIVE),
    ("InvalidAccessKeyId", Fault.KEY_UNKNOWN),
    ("SignatureDoesNotMatch", Fault.SIGNATURE),
    ("IncompleteSignature", Fault.SIGNATURE),
    ("InvalidTimeStamp", Fault.CLOCK),
    ("Throttling", Fault.THROTTLED),
    ("Forbidden", Fault.FORBIDDEN),
    ("NoPermission", Fault.FORBIDDEN),
    ("ServiceUnavailable", Fault.VENDOR),
    ("InternalError", Fault.VENDOR),
)
"""How the vendor's codes begin, the longer beginning first; what stands nowhere here is read by its status."""


def _fault(code: str, status: int) -> Fault:
    for beginning, fault in _CODES:
        if code.startswith(beginning):
            return fault
    if status == 429:
        return Fault.THROTTLED
    return Fault.VENDOR if status >= 500 else Fault.FORBIDDEN if status in (401, 403) else Fault.REQUEST


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def _word(value: object) -> str:
    """The text if it looks like a code or an id: it is stored and shown, and could hold anything."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _CODE.fullmatch(text) else ""
