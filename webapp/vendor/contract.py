"""What a call to the vendor comes to: the words every other part uses for it.

Pure: no I/O, nothing but the standard library. Sources: vendor.md sections 1 and 2, the
vendor's manual section 2.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

PATH = "/idenAuthentication"
BODY_LIMIT = 64 * 1024
"""Bytes of an answer that are read, after decompression; a longer answer is no answer of this API."""


class Outcome(StrEnum):
    """What came of one verification. `SENDING` is ours alone: no reply ever carries it."""

    SENDING = "sending"
    MATCH = "match"
    MISMATCH = "mismatch"
    NO_SUCH_NUMBER = "no_such_number"
    INVALID_INPUT = "invalid_input"
    MAINTENANCE = "maintenance"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNEXPECTED = "unexpected"


class Billed(StrEnum):
    """Whether the vendor deducted a call."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Retry(StrEnum):
    """Whether the client may send the same call again by itself."""

    NEVER = "never"
    ONCE = "once"
    BACKOFF = "backoff"


class Cause(StrEnum):
    """Why an outcome is not a plain answer about the person. None: a plain answer, or maintenance."""

    # Refused by the gateway, or never sent: not billed.
    QUOTA_EXHAUSTED = "quota_exhausted"
    PACKAGES_EXPIRED = "packages_expired"
    APPCODE_INVALID = "appcode_invalid"
    NOT_SUBSCRIBED = "not_subscribed"
    AUTHORISATION_EXPIRED = "authorisation_expired"
    SUBSCRIPTION_INVALID = "subscription_invalid"
    SELLER_OVERDUE = "seller_overdue"
    BUYER_OVERDUE = "buyer_overdue"
    THROTTLED = "throttled"
    ENDPOINT_WRONG = "endpoint_wrong"
    REQUEST_MALFORMED = "request_malformed"
    ACCESS_DENIED = "access_denied"
    ENDPOINT_BLOCKED = "endpoint_blocked"
    ENDPOINT_MOVED = "endpoint_moved"
    VENDOR_UNAVAILABLE = "vendor_unavailable"
    VENDOR_UNREACHABLE = "vendor_unreachable"
    GATEWAY_BUSY = "gateway_busy"
    NETWORK = "network"
    # Unknown: perhaps billed, never sent again unasked.
    VENDOR_TIMEOUT = "vendor_timeout"
    GATEWAY_INTERNAL = "gateway_internal"
    RESPONSE_BROKEN = "response_broken"
    NO_ANSWER = "no_answer"
    ABANDONED = "abandoned"
    """Our own process died during the call; set by our job, never by the client."""
    # Unexpected: an answer that says nothing about the person.
    BACKEND_STATUS = "backend_status"
    NOT_JSON = "not_json"
    UNKNOWN_CODE = "unknown_code"
    # Invalid input, in the vendor's eyes.
    NAME_EMPTY = "name_empty"
    NAME_SPECIAL = "name_special"
    NUMBER_EMPTY = "number_empty"
    NUMBER_FORMAT = "number_format"


class Stop(NamedTuple):
    """The answer asks to stop calling for the whole product: open the circuit.

    `seconds`: for how long; None: until someone acts (the time does not heal the cause).
    `doubling_to`: each further stop in a row doubles the time, at most to this many seconds; None: it stays.
    """

    seconds: int | None = None
    doubling_to: int | None = None


UNTIL_SOMEONE_ACTS = Stop()
FOR_90_SECONDS = Stop(seconds=90)
MAINTENANCE_STOP = Stop(seconds=60, doubling_to=600)


@dataclass(frozen=True, slots=True)
class Derived:
    """What the vendor decoded from the number: a hint (参考), not confirmed. Left out or garbled: ''."""

    province: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    county: str = field(default="", repr=False)
    birthday: str = field(default="", repr=False)
    """YYYYMMDD"""
    sex: str = field(default="", repr=False)
    """M, F or ''"""
    age: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole of what one verification came to, retries included. Its repr shows nothing personal.

    `code`: the respCode, else the gateway's X-Ca-Error-Code, else ''. `http_status`: None if nobody answered.
    `request_id`: X-Ca-Request-Id of the last attempt, '' if it had none.
    `latency_ms`: from start to end, waits included. `attempts`: calls tried, 0 if none was worth trying.
    `retry`, `stop`: what the last answer's row of the table says.
    `raw`: the body as it came (decompressed, at most BODY_LIMIT bytes): personal, to be sealed, never logged.
    """

    outcome: Outcome
    billed: Billed
    cause: Cause | None = None
    retry: Retry = Retry.NEVER
    stop: Stop | None = None
    code: str = ""
    http_status: int | None = None
    request_id: str = ""
    latency_ms: int = 0
    attempts: int = 0
    derived: Derived | None = field(default=None, repr=False)
    raw: bytes = field(default=b"", repr=False)
