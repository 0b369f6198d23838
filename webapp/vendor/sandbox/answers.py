"""What the vendor's answers look like, to the letter. Pure: no I/O, the day is part of what was asked.

Sources: the manual's section 2 (fields, respCode messages, the two printed answers) and recorded answers of
the gateway's two generations. It refuses with an empty body; only the newer one sends X-Ca-Error-Code.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import quote

from webapp.vendor.sandbox import people
from webapp.vendor.sandbox.gateway_messages import MESSAGES, OLDER_STATUSES, UNPUBLISHED_MESSAGE

KAEDE = "Kaede/3.5.3.523 (sandbox)"
TENGINE = "Tengine"
JSON_TYPE = "application/json; charset=UTF-8"

RESP_MESSAGES: dict[str, str] = {
    "0000": "身份证信息匹配",
    "0001": "开户名不能为空",
    "0002": "开户名不能包含特殊字符",
    "0003": "身份证号不能为空",
    "0004": "身份证号格式错误",
    "0007": "无此身份证号码",
    "0008": "身份证信息不匹配",
    "0010": "系统维护，请稍后再试",
}

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: its fields as decoded, and the vendor's day. Never shows them in a repr."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    today: date


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body. Length, date, connection and request id are added on sending."""

    status: int
    headers: Headers
    body: bytes = field(default=b"", repr=False)
    code: str = ""
    """What it is counted under: the gateway's code or message, the backend's respCode, else its status."""

    @property
    def charged(self) -> bool:
        """The market's rule: HTTP 200 is deducted, everything else is not."""
        return self.status == 200


Recipe = Callable[[Asked], Answer]


def gateway(code: str, message: str = "") -> Recipe:
    """A refusal of the present gateway; the status is part of the code, the message its usual one."""
    headers = (
        ("Server", KAEDE),
        ("Content-Type", "application/octet-stream"),
        ("X-Ca-Error-Code", code),
        ("X-Ca-Error-Message", message or MESSAGES.get(code, UNPUBLISHED_MESSAGE)),
    )
    return lambda asked: Answer(int(code[1:4]), headers, code=code)


def older(message: str) -> Recipe:
    """A refusal of the older gateway: a message of its table, no code."""
    return lambda asked: Answer(OLDER_STATUSES[message], _older_headers(message), code=message)


def signature_echo(asked: Asked) -> Answer:
    """The older gateway quotes what was signed, person included: not for showing or storing."""
    signed = f"POST#/idenAuthentication?idNo={quote(asked.number)}&name={quote(asked.name)}"
    headers = _older_headers(f"Invalid Signature, Server StringToSign:`{signed}`")
    return Answer(400, headers, code="Invalid Signature")


def _older_headers(message: str) -> Headers:
    return (
        ("Server", TENGINE),
        ("Content-Type", "text/plain;charset=UTF-8"),
        ("X-Ca-Error-Message", message),
    )


def respond(code: str) -> Recipe:
    """The backend's JSON for one respCode; only 0000 and 0008 carry what the number tells (manual, 2)."""
    return lambda asked: _success(_body(asked, code), code=code)


def respond_without_derived(asked: Asked) -> Answer:
    """A match that says nothing beside it."""
    fields = ("name", "idNo", "respMessage", "respCode")
    return _success({key: _body(asked, "0000")[key] for key in fields}, code="0000")


def respond_with_code(value: object) -> Recipe:
    """A whole answer whose respCode is not a string of the manual's table."""
    return lambda asked: _success(_body(asked, "0000") | {"respCode": value}, code=json.dumps(value))


def respond_without_code(asked: Asked) -> Answer:
    body = _body(asked, "0000")
    del body["respCode"]
    return _success(body, code="(no respCode)")


def respond_as_text(asked: Asked) -> Answer:
    """The recorded quirk: JSON that calls itself text/plain."""
    return _success(_body(asked, "0000"), content_type="text/plain;charset=UTF-8", code="0000")


def respond_with_ok(asked: Asked) -> Answer:
    """The recorded success that carries X-Ca-Error-Message: OK."""
    return _success(_body(asked, "0000"), ("X-Ca-Error-Message", "OK"), code="0000")


def respond_in_gbk(asked: Asked) -> Answer:
    text = json.dumps(_body(asked, "0000"), ensure_ascii=False)
    return raw(200, text.encode("gbk", "replace"), JSON_TYPE, code="(GBK)")(asked)


def respond_cut_short(asked: Asked) -> Answer:
    """Content-Length agrees with the bytes, but the JSON stops in the middle."""
    whole = respond("0000")(asked)
    return Answer(200, whole.headers, whole.body[: len(whole.body) // 2], code="(half a JSON)")


def respond_huge(asked: Asked) -> Answer:
    """Valid JSON of 1 MiB: sixteen times what a client should be willing to read."""
    return _success(_body(asked, "0000") | {"padding": "余" * 349_525}, code="(huge)")


def respond_inflating(asked: Asked) -> Answer:
    """A few kilobytes of gzip that become 4 MiB of JSON, whether or not the client asked for gzip."""
    whole = _success(_body(asked, "0000") | {"padding": "0" * 4_194_304}, ("Content-Encoding", "gzip"))
    return Answer(200, whole.headers, gzip.compress(whole.body, mtime=0), code="(gzip)")


def raw(status: int, body: bytes, content_type: str, *extra: tuple[str, str], code: str = "") -> Recipe:
    """Any status and body, passed through by the gateway: no X-Ca-Error-Code."""
    headers = (("Server", KAEDE), ("Content-Type", content_type), *extra)
    return lambda asked: Answer(status, headers, body, code=code or f"HTTP {status}")


def failed_with_result(asked: Asked) -> Answer:
    """A trap: the backend's 500 whose body claims a match."""
    match = respond("0000")(asked)
    return Answer(500, match.headers, match.body, code="HTTP 500")


def ordinary(asked: Asked) -> Answer:
    """What the register says about a person who is nobody's scenario.

    The order of the checks, what a special character is, and that a wrong check character is a format error
    are the sandbox's own reading: the manual does not say.
    """
    printed = MANUAL_ANSWERS.get((asked.name, asked.number))
    if printed:
        return Answer(200, _json_headers(JSON_TYPE), printed.encode(), code=json.loads(printed)["respCode"])
    if not asked.name.strip():
        return respond("0001")(asked)
    if not asked.number.strip():
        return respond("0003")(asked)
    if not all(map(_in_names, asked.name)) or asked.name.startswith("·") or asked.name.endswith("·"):
        return respond("0002")(asked)
    if not people.well_formed(asked.number, asked.today):
        return respond("0004")(asked)
    return respond(people.lookup(asked.name, asked.number))(asked)


def _in_names(character: str) -> bool:
    point = ord(character)
    ideograph = 0x3400 <= point <= 0x4DBF or 0x4E00 <= point <= 0x9FFF or 0xF900 <= point <= 0xFAFF
    return ideograph or 0x20000 <= point <= 0x3FFFD or character in "·〇"


def _body(asked: Asked, code: str) -> dict[str, object]:
    derived = _told_by(asked.number, asked.today) if code in ("0000", "0008") else ("",) * 6
    keys = ("province", "city", "county", "birthday", "sex", "age")
    said = {
        "name": asked.name,
        "idNo": asked.number,
        "respMessage": RESP_MESSAGES.get(code, "未知错误"),
        "respCode": code,
    }
    return {**said, **dict(zip(keys, derived, strict=True))}


def _told_by(number: str, today: date) -> tuple[str, ...]:
    return (*people.place(number), people.birthday(number), people.sex(number), people.age(number, today))


def _success(body: object, *extra: tuple[str, str], content_type: str = JSON_TYPE, code: str = "") -> Answer:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Answer(200, (*_json_headers(content_type), *extra), text.encode("utf-8", "replace"), code=code)


def _json_headers(content_type: str) -> Headers:
    return (("Server", KAEDE), ("Content-Type", content_type))


def _printed(name: str, message: str, code: str) -> str:
    return f"""{{
  "name": "{name}",
  "idNo": "340421190710145412",
  "respMessage": "{message}",
  "respCode": "{code}",
  "province": "安徽省",
  "city": "淮南市",
  "county": "凤台县",
  "birthday": "19071014",
  "sex": "M",
  "age": "111"
}}"""


MANUAL_ANSWERS: dict[tuple[str, str], str] = {
    ("张三", "340421190710145412"): _printed("张三", "身份证信息匹配", "0000"),
    ("李四", "340421190710145412"): _printed("李四", "身份证信息不匹配", "0008"),
}
"""The manual's two answers as printed, line breaks and the age of their day included."""
