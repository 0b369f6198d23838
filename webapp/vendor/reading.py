"""What an HTTP answer means: status, headers and body in, a reply out. Pure: no I/O; never raises.

In the order of vendor.md section 2: the gateway's code, the older gateway's message, the backend's own
status, the JSON.
"""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from webapp.vendor import codes
from webapp.vendor.contract import BODY_LIMIT, Billed, Derived, Outcome, Reply

_REQUEST_ID = re.compile(r"[!-~]{1,64}")
_SHOWN_CODE = re.compile(r"[A-Za-z0-9._-]{1,16}")
_SHOWN_RESP_CODE = re.compile(r"[A-Za-z0-9]{1,8}")
_TEXT_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` in any case; `body` as sent, perhaps compressed; `broken`: it broke off or ran out of time.

    A header can quote the person, so neither is printed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    broken: bool = False


def read_answer(answer: Answer, deducted: Mapping[str, Billed] = codes.DEDUCTED) -> Reply:
    """The reply to one attempt; times and attempts are the caller's. `deducted`: see codes.DEDUCTED."""
    headers = {name.lower(): value.strip() for name, value in answer.headers.items()}
    body = _unpacked(answer.body, headers.get("content-encoding", "").lower())
    code = headers.get("x-ca-error-code", "").split(",")[0].strip()
    message = headers.get("x-ca-error-message", "")
    if codes.is_gateway_code(code) or (code and answer.status != 200):
        row, shown = codes.by_gateway_code(code, answer.status), _shown(code, _SHOWN_CODE)
    elif answer.status != 200:
        spoken = message and message.upper() != "OK"
        row = codes.by_gateway_message(message, answer.status) if spoken else codes.BACKEND_STATUS
        shown = ""
    else:
        return _read_success(body, answer.broken, headers, deducted)
    return _reply(row, row.billed, shown, answer.status, headers, body)


def _read_success(body: bytes, broken: bool, headers: Mapping[str, str], deducted: Mapping[str, Billed]) -> Reply:
    if broken:
        return _reply(codes.NO_ANSWER, codes.NO_ANSWER.billed, "", 200, headers, body)
    content = _parsed(body) if len(body) <= BODY_LIMIT else None
    resp_code = _resp_code(content)
    row = codes.RESP_CODES.get(resp_code) or (codes.NOT_JSON if content is None else codes.UNKNOWN_CODE)
    derived = _derived(content) if row.outcome in (Outcome.MATCH, Outcome.MISMATCH) else None
    shown = _shown(resp_code, _SHOWN_RESP_CODE)
    return _reply(row, codes.deducted(resp_code, deducted), shown, 200, headers, body, derived)


def _reply(
    row: codes.Row,
    billed: Billed,
    code: str,
    status: int,
    headers: Mapping[str, str],
    raw: bytes,
    derived: Derived | None = None,
) -> Reply:
    return Reply(
        outcome=row.outcome,
        billed=billed,
        cause=row.cause,
        retry=row.retry,
        stop=row.stop,
        code=code,
        http_status=status,
        request_id=_shown(headers.get("x-ca-request-id", ""), _REQUEST_ID),
        attempts=1,
        derived=derived,
        raw=raw[:BODY_LIMIT],
    )


def _shown(text: str, shape: re.Pattern[str]) -> str:
    """The text if it has the shape of what it should be: it is stored and shown, and could hold anything."""
    return text if shape.fullmatch(text) else ""


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its compression; never much more than BODY_LIMIT of it, whatever it would unfold to."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        # 32 more than the window size: zlib's own or gzip's frame, told apart by their first bytes.
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, BODY_LIMIT + 1)
    except zlib.error:
        return body


def _parsed(body: bytes) -> object:
    """The JSON, whatever the Content-Type says; None if it is none, or says two things at once."""
    try:
        parsed: object = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unambiguous, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return parsed


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _resp_code(content: object) -> str:
    value = content.get("respCode") if isinstance(content, dict) else None
    return value if isinstance(value, str) else ""


def _derived(content: object) -> Derived | None:
    """What the number tells; None if the answer says nothing of it."""
    fields = content if isinstance(content, dict) else {}
    derived = Derived(
        province=_text(fields.get("province")),
        city=_text(fields.get("city")),
        county=_text(fields.get("county")),
        birthday=_text(fields.get("birthday"), r"[0-9]{8}"),
        sex=_text(fields.get("sex"), r"[MF]"),
        age=_text(fields.get("age"), r"[0-9]{1,3}"),
    )
    return derived if derived != Derived() else None


def _text(value: object, shape: str = ".*") -> str:
    """A printable text of this shape, else ''. Not printable are, among others, NUL and lone surrogates."""
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT or not value.isprintable():
        return ""
    return value if re.fullmatch(shape, value) else ""
