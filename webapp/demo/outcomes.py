"""Pure: what comes of the calls of a made-up year: how often, how fast, and what the vendor says."""

from __future__ import annotations

import json
from typing import NamedTuple

from webapp.demo.register import Way
from webapp.vendor.contract import Billed, Cause, Outcome
from webapp.vendor.sandbox import people
from webapp.vendor.sandbox.answers import RESP_MESSAGES

PROVINCE, CITY, COUNTY = people.PLACES[people.TOUR_PEOPLE]


class Kind(NamedTuple):
    """One kind of outcome. `share` of 10,000 calls; `answer` is the template of what is sealed beside the person."""

    share: float
    way: Way
    outcome: Outcome
    billed: Billed
    code: str
    cause: Cause | None = None
    http_status: int = 200
    attempts: int = 1
    slower: int = 0
    """Milliseconds more than an ordinary answer takes."""
    derived: bool = False
    """Whether the answer says what the number tells."""
    answered: bool = True
    """Whether the vendor itself answered, in words."""

    @property
    def place(self) -> dict[str, str]:
        """Where the answer says that the number comes from."""
        return {"province": PROVINCE, "city": CITY, "county": COUNTY} if self.derived else {}

    def sealed(self, reference: str) -> str:
        """What is sealed of the person, as JSON with the places to fill in: `%(name)s`, `%(number)s`, and what the
        number tells: `%(birthday)s`, `%(sex)s`, `%(age)s`; with a reference also `%(reference)s`."""
        said = {"province": PROVINCE, "city": CITY, "county": COUNTY, "birthday": "%(birthday)s", "sex": "%(sex)s",
                "age": "%(age)s"}  # fmt: skip
        told = {name: value if self.derived else "" for name, value in said.items()}
        body = {"name": "%(name)s", "idNo": "%(number)s", "respMessage": RESP_MESSAGES.get(self.code, "未知错误"),
                "respCode": self.code} | told  # fmt: skip
        content = {"name": "%(name)s", "number": "%(number)s", "reference": reference} | told
        content["raw"] = _packed(body) if self.answered else ""
        return _packed({name: value for name, value in content.items() if value})


def _packed(content: dict[str, str]) -> str:
    """As the sandbox writes its answers, and the product what it seals."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


KINDS: tuple[Kind, ...] = (
    Kind(8640, Way.RIGHT, Outcome.MATCH, Billed.YES, "0000", derived=True),
    Kind(790, Way.MISTYPED, Outcome.MISMATCH, Billed.YES, "0008", derived=True),
    Kind(330, Way.NOBODY, Outcome.NO_SUCH_NUMBER, Billed.YES, "0007"),
    Kind(90, Way.REFUSED, Outcome.INVALID_INPUT, Billed.YES, "0002", Cause.NAME_SPECIAL),
    Kind(125, Way.RIGHT, Outcome.REFUSED, Billed.NO, "T429ID", Cause.THROTTLED, 429, attempts=4, slower=3_200,
         answered=False),
    Kind(20, Way.RIGHT, Outcome.UNKNOWN, Billed.UNKNOWN, "D504TO", Cause.VENDOR_TIMEOUT, 504, slower=8_000,
         answered=False),
    Kind(5, Way.RIGHT, Outcome.UNEXPECTED, Billed.YES, "0005", Cause.UNKNOWN_CODE),
)  # fmt: skip
