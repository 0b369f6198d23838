"""What the vendor can answer and what must come of it: vendor.md sections 1 and 2, row by row."""

import json
from dataclasses import dataclass, field

from webapp.vendor.contract import (
    FOR_90_SECONDS,
    MAINTENANCE_STOP,
    UNTIL_SOMEONE_ACTS,
    Billed,
    Cause,
    Outcome,
    Retry,
    Stop,
)

REQUEST_ID = "7AD052CB-EE8B-4DFD-BBAF-EFB340E0A5AF"
NEVER, ONCE, BACKOFF = Retry.NEVER, Retry.ONCE, Retry.BACKOFF


@dataclass(frozen=True)
class Known:
    """An answer, and what its row of the table says."""

    status: int
    headers: dict[str, str]
    outcome: Outcome
    cause: Cause | None
    billed: Billed
    retry: Retry = NEVER
    stop: Stop | None = None
    body: bytes = b""
    code: str = ""

    @property
    def requests(self) -> int:
        """How often the vendor must be asked while it keeps answering like this."""
        return {NEVER: 1, ONCE: 2, BACKOFF: 4}[self.retry]


@dataclass(frozen=True)
class Refusal:
    """The part of a gateway row that both generations share."""

    cause: Cause
    retry: Retry = NEVER
    stop: Stop | None = None
    known: bool = field(default=True)

    def row(self, status: int, headers: dict[str, str], code: str = "") -> Known:
        outcome, billed = (Outcome.REFUSED, Billed.NO) if self.known else (Outcome.UNKNOWN, Billed.UNKNOWN)
        return Known(status, headers, outcome, self.cause, billed, self.retry, self.stop, b"", code)


APPCODE = Refusal(Cause.APPCODE_INVALID, stop=UNTIL_SOMEONE_ACTS)
NOT_SUBSCRIBED = Refusal(Cause.NOT_SUBSCRIBED, stop=UNTIL_SOMEONE_ACTS)
EXPIRED = Refusal(Cause.AUTHORISATION_EXPIRED, stop=UNTIL_SOMEONE_ACTS)
QUOTA = Refusal(Cause.QUOTA_EXHAUSTED, stop=UNTIL_SOMEONE_ACTS)
PACKAGES = Refusal(Cause.PACKAGES_EXPIRED, stop=UNTIL_SOMEONE_ACTS)
SUBSCRIPTION = Refusal(Cause.SUBSCRIPTION_INVALID, stop=UNTIL_SOMEONE_ACTS)
SELLER = Refusal(Cause.SELLER_OVERDUE, stop=UNTIL_SOMEONE_ACTS)
BUYER = Refusal(Cause.BUYER_OVERDUE, stop=UNTIL_SOMEONE_ACTS)
THROTTLED = Refusal(Cause.THROTTLED, retry=BACKOFF)
WRONG = Refusal(Cause.ENDPOINT_WRONG, stop=UNTIL_SOMEONE_ACTS)
MALFORMED = Refusal(Cause.REQUEST_MALFORMED)
DENIED = Refusal(Cause.ACCESS_DENIED, stop=UNTIL_SOMEONE_ACTS)
BLOCKED = Refusal(Cause.ENDPOINT_BLOCKED, stop=UNTIL_SOMEONE_ACTS)
MOVED = Refusal(Cause.ENDPOINT_MOVED, stop=UNTIL_SOMEONE_ACTS)
UNREACHABLE = Refusal(Cause.VENDOR_UNREACHABLE, retry=ONCE)
UNAVAILABLE = Refusal(Cause.VENDOR_UNAVAILABLE, stop=FOR_90_SECONDS)
BUSY = Refusal(Cause.GATEWAY_BUSY, retry=ONCE, stop=FOR_90_SECONDS)
TIMEOUT = Refusal(Cause.VENDOR_TIMEOUT, known=False)
INTERNAL = Refusal(Cause.GATEWAY_INTERNAL, known=False)
BROKEN = Refusal(Cause.RESPONSE_BROKEN, known=False)

_CODES = {
    "A400AC A401AC": APPCODE,
    "I403AA": NOT_SUBSCRIBED,
    "A403EP": EXPIRED,
    "B403MQ": QUOTA,
    "B403ME": PACKAGES,
    "B403MI": SUBSCRIPTION,
    "B403MO B403OD": SELLER,
    "T429ID T429IN T429GR T429PA T429PR T429SR T429MR": THROTTLED,
    "I404NF I404DO I405UM I404NR I404SR I403PT": WRONG,
    "I400MP I400HD I400CT I413RL I400MH I400BD I400PA I413UL I400SG I400I5": MALFORMED,
    "A403IP A403AC A403VN A403IN A403IS": DENIED,
    "B451DO B451GO": BLOCKED,
    "I410GG": MOVED,
    "D504CO D504CS": UNREACHABLE,
    "D504TO D504RE X504TO D504IL": TIMEOUT,
    "D503CB D503BB": UNAVAILABLE,
    "X503BZ": BUSY,
    "X500ER X500ED X500AM": INTERNAL,
    "D502FC N502RE": BROKEN,
    # Codes nobody documented: by class letter and HTTP status.
    "I400ZZ": MALFORMED,
    "I404ZZ": WRONG,
    "A400ZZ A401ZZ": APPCODE,
    "A403ZZ": DENIED,
    "B403ZZ": SUBSCRIPTION,
    "B451ZZ": BLOCKED,
    "T429ZZ": THROTTLED,
    "D504ZZ X504ZZ": TIMEOUT,
    "D503ZZ": UNAVAILABLE,
    "D500ZZ N504ZZ": BROKEN,
    "X500ZZ X502ZZ": INTERNAL,
}

_MESSAGES = {
    (400, "Invalid AppCode"): APPCODE,
    (400, "Invalid AppCode `not exists`"): APPCODE,
    (403, "Unauthorized"): NOT_SUBSCRIBED,
    (403, "Expiry of Authorization"): EXPIRED,
    (403, "App authorization expired"): EXPIRED,
    (403, "Quota Exhausted"): QUOTA,
    (403, "Api Market Subscription quota exhausted"): QUOTA,
    (403, "Quota Expired"): PACKAGES,
    (403, "Api Market Subscription expired"): PACKAGES,
    (403, "User Arrears"): BUYER,
    (403, "Throttled by USER Flow Control"): THROTTLED,
    (403, "Throttled by APP Flow Control"): THROTTLED,
    (403, "Throttled by API Flow Control"): THROTTLED,
    (403, "Throttled by DOMAIN Flow Control"): THROTTLED,
    (403, "Throttled by GROUP Flow Control"): THROTTLED,
    (400, "Invalid Url"): WRONG,
    (400, "Invalid Domain"): WRONG,
    (400, "Invalid HttpMethod"): WRONG,
    (400, "Invalid Parameter Required `idNo`"): MALFORMED,
    (400, "Empty Request Body"): MALFORMED,
    (400, "Invalid Signature, Server StringToSign:`POST#idNo=11010519491231002X`"): MALFORMED,
    (500, "Failed To Invoke Backend Service"): UNREACHABLE,
    (504, "Async Service"): TIMEOUT,
    (503, "Service Unavailable"): UNAVAILABLE,
    (500, "Internal Error"): INTERNAL,
    # Words nobody documented: by HTTP status.
    (429, "Slow down"): THROTTLED,
    (500, "Oops"): INTERNAL,
    (502, "Oops"): BROKEN,
    (504, "Oops"): TIMEOUT,
}

_RESP_CODES: dict[str, tuple[Outcome, Cause | None]] = {
    "0000": (Outcome.MATCH, None),
    "0001": (Outcome.INVALID_INPUT, Cause.NAME_EMPTY),
    "0002": (Outcome.INVALID_INPUT, Cause.NAME_SPECIAL),
    "0003": (Outcome.INVALID_INPUT, Cause.NUMBER_EMPTY),
    "0004": (Outcome.INVALID_INPUT, Cause.NUMBER_FORMAT),
    "0007": (Outcome.NO_SUCH_NUMBER, None),
    "0008": (Outcome.MISMATCH, None),
    "0010": (Outcome.MAINTENANCE, None),
    "0005": (Outcome.UNEXPECTED, Cause.UNKNOWN_CODE),
    "0006": (Outcome.UNEXPECTED, Cause.UNKNOWN_CODE),
    "0009": (Outcome.UNEXPECTED, Cause.UNKNOWN_CODE),
}


def body(resp_code: str, **more: object) -> bytes:
    """An answer of the backend, in the manual's shape."""
    content = {
        "name": "张三",
        "idNo": "11010519491231002X",
        "respMessage": "…",
        "respCode": resp_code,
        **more,
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _answered(resp_code: str, outcome: Outcome, cause: Cause | None) -> Known:
    stop = MAINTENANCE_STOP if outcome is Outcome.MAINTENANCE else None
    headers = {"X-Ca-Request-Id": REQUEST_ID, "Content-Type": "application/json"}
    return Known(200, headers, outcome, cause, Billed.YES, NEVER, stop, body(resp_code), resp_code)


def _odd(status: int, headers: dict[str, str], cause: Cause, billed: Billed, sent: bytes = b"") -> Known:
    return Known(status, headers, Outcome.UNEXPECTED, cause, billed, body=sent)


TABLE: dict[str, Known] = {
    **{f"respCode {code}": _answered(code, *expected) for code, expected in _RESP_CODES.items()},
    **{
        f"gateway {code}": row.row(
            int(code[1:4]),
            {"X-Ca-Error-Code": code, "X-Ca-Error-Message": "words", "X-Ca-Request-Id": REQUEST_ID},
            code,
        )
        for codes, row in _CODES.items()
        for code in codes.split()
    },
    **{
        f"older gateway {status} {message}": row.row(
            status, {"X-Ca-Error-Message": message, "X-Ca-Request-Id": REQUEST_ID}
        )
        for (status, message), row in _MESSAGES.items()
    },
    "older gateway 403 in words nobody documented": _odd(
        403, {"X-Ca-Error-Message": "No"}, Cause.UNKNOWN_CODE, Billed.NO
    ),
    "gateway 403 with a code of another shape": Known(
        403,
        {"X-Ca-Error-Code": "APP_NOT_FOUND"},
        Outcome.UNEXPECTED,
        Cause.UNKNOWN_CODE,
        Billed.NO,
        code="APP_NOT_FOUND",
    ),
    **{
        f"backend's own {status}": _odd(status, headers, Cause.BACKEND_STATUS, Billed.NO, body("0000"))
        for status, headers in (
            (500, {}),
            (502, {}),
            (503, {"X-Ca-Error-Message": "OK"}),
            (403, {"X-Ca-Error-Message": ""}),
            (404, {"X-Ca-Error-Code": ""}),
            (201, {}),
            (302, {"Location": "/elsewhere"}),
        )
    },
    "200 and nothing": _odd(200, {}, Cause.NOT_JSON, Billed.YES),
    "200 and a web page": _odd(200, {}, Cause.NOT_JSON, Billed.YES, b"<html>busy</html>"),
    "200 and half a JSON": _odd(200, {}, Cause.NOT_JSON, Billed.YES, body("0000")[:-5]),
    "200 and another JSON": _odd(200, {}, Cause.UNKNOWN_CODE, Billed.YES, b'{"code": "0000"}'),
}
