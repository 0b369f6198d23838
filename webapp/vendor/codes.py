"""The vendor's and the gateway's codes, as one table.

Pure: no I/O. Sources: vendor.md sections 1 and 2; the error code table of the gateway's public documentation.
A row says what an answer means, what it costs and whether the same call may be sent again. The vendor's
Chinese message texts are never looked at: they change. The gateway's English messages are matched on their
documented beginnings, and only where the older gateway sends no code.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

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


class Row(NamedTuple):
    """One row of the table. `billed` of an answer with a respCode comes from DEDUCTED instead."""

    outcome: Outcome
    cause: Cause | None = None
    billed: Billed = Billed.NO
    retry: Retry = Retry.NEVER
    stop: Stop | None = None


def _refused(cause: Cause, *, retry: Retry = Retry.NEVER, stop: Stop | None = None) -> Row:
    return Row(Outcome.REFUSED, cause, Billed.NO, retry, stop)


def _unknown(cause: Cause) -> Row:
    """The backend may have done its work: perhaps deducted, so never sent again."""
    return Row(Outcome.UNKNOWN, cause, Billed.UNKNOWN)


QUOTA_EXHAUSTED = _refused(Cause.QUOTA_EXHAUSTED, stop=UNTIL_SOMEONE_ACTS)
PACKAGES_EXPIRED = _refused(Cause.PACKAGES_EXPIRED, stop=UNTIL_SOMEONE_ACTS)
APPCODE_INVALID = _refused(Cause.APPCODE_INVALID, stop=UNTIL_SOMEONE_ACTS)
NOT_SUBSCRIBED = _refused(Cause.NOT_SUBSCRIBED, stop=UNTIL_SOMEONE_ACTS)
AUTHORISATION_EXPIRED = _refused(Cause.AUTHORISATION_EXPIRED, stop=UNTIL_SOMEONE_ACTS)
SUBSCRIPTION_INVALID = _refused(Cause.SUBSCRIPTION_INVALID, stop=UNTIL_SOMEONE_ACTS)
SELLER_OVERDUE = _refused(Cause.SELLER_OVERDUE, stop=UNTIL_SOMEONE_ACTS)
BUYER_OVERDUE = _refused(Cause.BUYER_OVERDUE, stop=UNTIL_SOMEONE_ACTS)
ENDPOINT_WRONG = _refused(Cause.ENDPOINT_WRONG, stop=UNTIL_SOMEONE_ACTS)
REQUEST_MALFORMED = _refused(Cause.REQUEST_MALFORMED)
ACCESS_DENIED = _refused(Cause.ACCESS_DENIED, stop=UNTIL_SOMEONE_ACTS)
ENDPOINT_BLOCKED = _refused(Cause.ENDPOINT_BLOCKED, stop=UNTIL_SOMEONE_ACTS)
ENDPOINT_MOVED = _refused(Cause.ENDPOINT_MOVED, stop=UNTIL_SOMEONE_ACTS)
THROTTLED = _refused(Cause.THROTTLED, retry=Retry.BACKOFF)
VENDOR_UNREACHABLE = _refused(Cause.VENDOR_UNREACHABLE, retry=Retry.ONCE)
VENDOR_UNAVAILABLE = _refused(Cause.VENDOR_UNAVAILABLE, stop=FOR_90_SECONDS)
GATEWAY_BUSY = _refused(Cause.GATEWAY_BUSY, retry=Retry.ONCE, stop=FOR_90_SECONDS)
NETWORK = _refused(Cause.NETWORK, retry=Retry.BACKOFF)

VENDOR_TIMEOUT = _unknown(Cause.VENDOR_TIMEOUT)
GATEWAY_INTERNAL = _unknown(Cause.GATEWAY_INTERNAL)
RESPONSE_BROKEN = _unknown(Cause.RESPONSE_BROKEN)
NO_ANSWER = _unknown(Cause.NO_ANSWER)

BACKEND_STATUS = Row(Outcome.UNEXPECTED, Cause.BACKEND_STATUS)
STRANGE_REFUSAL = Row(Outcome.UNEXPECTED, Cause.UNKNOWN_CODE)
NOT_JSON = Row(Outcome.UNEXPECTED, Cause.NOT_JSON)
UNKNOWN_CODE = Row(Outcome.UNEXPECTED, Cause.UNKNOWN_CODE)

RESP_CODES: Mapping[str, Row] = {
    "0000": Row(Outcome.MATCH),
    "0001": Row(Outcome.INVALID_INPUT, Cause.NAME_EMPTY),
    "0002": Row(Outcome.INVALID_INPUT, Cause.NAME_SPECIAL),
    "0003": Row(Outcome.INVALID_INPUT, Cause.NUMBER_EMPTY),
    "0004": Row(Outcome.INVALID_INPUT, Cause.NUMBER_FORMAT),
    "0007": Row(Outcome.NO_SUCH_NUMBER),
    "0008": Row(Outcome.MISMATCH),
    "0010": Row(Outcome.MAINTENANCE, stop=MAINTENANCE_STOP),
}

OTHER = ""
"""The key in DEDUCTED for every answer of HTTP 200 without a known respCode."""

DEDUCTED: Mapping[str, Billed] = {**dict.fromkeys(RESP_CODES, Billed.YES), OTHER: Billed.YES}
"""Default by respCode: the market deducts on HTTP 200. The manual is silent, so an admin may override it."""

GATEWAY_CODES: Mapping[str, Row] = {
    # Whole codes, then class letter + HTTP status, then the class letter: the longest that fits decides.
    "I403AA": NOT_SUBSCRIBED,
    "I403PT": ENDPOINT_WRONG,
    "I404": ENDPOINT_WRONG,
    "I405": ENDPOINT_WRONG,
    "I410": ENDPOINT_MOVED,
    "I": REQUEST_MALFORMED,
    "A400": APPCODE_INVALID,
    "A401": APPCODE_INVALID,
    "A403EP": AUTHORISATION_EXPIRED,
    "A": ACCESS_DENIED,
    "B403MQ": QUOTA_EXHAUSTED,
    "B403ME": PACKAGES_EXPIRED,
    "B403MI": SUBSCRIPTION_INVALID,
    "B403MO": SELLER_OVERDUE,
    "B403OD": SELLER_OVERDUE,
    "B451": ENDPOINT_BLOCKED,
    "B": SUBSCRIPTION_INVALID,
    "T": THROTTLED,
    "D504CO": VENDOR_UNREACHABLE,
    "D504CS": VENDOR_UNREACHABLE,
    "D504": VENDOR_TIMEOUT,
    "D503": VENDOR_UNAVAILABLE,
    "D": RESPONSE_BROKEN,
    "X503": GATEWAY_BUSY,
    "X504": VENDOR_TIMEOUT,
    "X400": ENDPOINT_WRONG,
    "X403": ENDPOINT_WRONG,
    "X": GATEWAY_INTERNAL,
    "N": RESPONSE_BROKEN,
}

GATEWAY_MESSAGES: Mapping[str, Row] = {
    "Invalid AppCode": APPCODE_INVALID,
    "Invalid AppKey": APPCODE_INVALID,
    "Invalid AppSecret": APPCODE_INVALID,
    "Unauthorized": NOT_SUBSCRIBED,
    "App authorization expired": AUTHORISATION_EXPIRED,
    "Expiry of Authorization": AUTHORISATION_EXPIRED,
    "Api Market Subscription quota exhausted": QUOTA_EXHAUSTED,
    "Quota Exhausted": QUOTA_EXHAUSTED,
    "Api Market Subscription expired": PACKAGES_EXPIRED,
    "Quota Expired": PACKAGES_EXPIRED,
    "Api Market Subscription invalid": SUBSCRIPTION_INVALID,
    "Provider Account Overdue": SELLER_OVERDUE,
    "User Arrears": BUYER_OVERDUE,
    "Throttled by": THROTTLED,
    "API not found": ENDPOINT_WRONG,
    "Invalid Url": ENDPOINT_WRONG,
    "Invalid Domain": ENDPOINT_WRONG,
    "Invalid HttpMethod": ENDPOINT_WRONG,
    "Unsupported Method": ENDPOINT_WRONG,
    "Invalid Signature": REQUEST_MALFORMED,
    "Invalid Parameter": REQUEST_MALFORMED,
    "Invalid Param Location": REQUEST_MALFORMED,
    "Invalid Header": REQUEST_MALFORMED,
    "Invalid Body": REQUEST_MALFORMED,
    "Invalid Request Body": REQUEST_MALFORMED,
    "Empty Request Body": REQUEST_MALFORMED,
    "Invalid Content-Type": REQUEST_MALFORMED,
    "Request body too Large": REQUEST_MALFORMED,
    "Unsupported Multipart": REQUEST_MALFORMED,
    "Failed To Invoke Backend Service": VENDOR_UNREACHABLE,
    "Async Service": VENDOR_TIMEOUT,
    "Service Unavailable": VENDOR_UNAVAILABLE,
    "Internal Error": GATEWAY_INTERNAL,
}

_SHAPE = re.compile(r"[IABTDXN][1-5][0-9]{2}[A-Z0-9]{2}")
_BEGINNINGS = tuple((beginning.lower(), row) for beginning, row in GATEWAY_MESSAGES.items())


def is_gateway_code(code: str) -> bool:
    """Whether this has the shape of the gateway's codes: class letter, HTTP status, two characters."""
    return _SHAPE.fullmatch(code) is not None


def by_gateway_code(code: str, http_status: int) -> Row:
    """The row of an X-Ca-Error-Code: exact, else by class and status; else, by the HTTP status."""
    if not is_gateway_code(code):
        return by_gateway_status(http_status)
    return next(row for length in (6, 4, 1) if (row := GATEWAY_CODES.get(code[:length])))


def by_gateway_message(message: str, http_status: int) -> Row:
    """The row of an older gateway's X-Ca-Error-Message, by its beginning, else by the HTTP status."""
    wording = message.strip().lower()
    for beginning, row in _BEGINNINGS:
        if wording.startswith(beginning):
            return row
    return by_gateway_status(http_status)


def by_gateway_status(http_status: int) -> Row:
    """The gateway refused in words nobody knows: only the HTTP status is left to judge by."""
    if http_status == 429:
        return THROTTLED
    if http_status >= 500:
        return {502: RESPONSE_BROKEN, 504: VENDOR_TIMEOUT}.get(http_status, GATEWAY_INTERNAL)
    return STRANGE_REFUSAL


def deducted(resp_code: str, table: Mapping[str, Billed] = DEDUCTED) -> Billed:
    """Whether an HTTP 200 with this respCode costs a call; `table` may be partial."""
    known = resp_code if resp_code in RESP_CODES else OTHER
    return table.get(known, DEDUCTED[known])
