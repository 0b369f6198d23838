"""Keeps personal data and secrets out of logs: what is known by word, by shape or by the name of its field.

Three nets, because each has holes. Words are registered with `conceal` where a name, number or AppCode
enters; ID numbers and AppCodes are also known by shape; fields of certain names lose their value, whatever it
is. When in doubt a harmless number is hidden too. Standard library only.
"""

import html
import json
import math
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

GONE = "…"
"""Stands wherever something was taken out."""
FIELDS = frozenset(
    {"name", "idnumber", "idno", "birthday", "derived", "raw"}
    | {"password", "newpassword", "appcode", "code", "secret", "secretkey", "token", "csrftoken"}
    | {"accesskeyid", "accesskeysecret", "accesskey", "signature"}
    | {"authorization", "proxyauthorization", "cookie", "setcookie"}
)
"""Fields that lose their value, lower-case without `_` and `-`; `code` is the second factor's."""

_SHORTEST = 2
"""A single character would blot out half of every line."""
_PIECE, _MOST_PIECES, _MOST_WORDS = 100, 20, 60
_DEEPEST = 10
"""Nesting that is looked into, and is more than any event of ours has."""


class _Concealed:
    """Words to hide. The ways they may be written are made when a line is looked at: most requests log none."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    @cached_property
    def forms(self) -> frozenset[str]:
        pieces = (piece for word in self.words for piece in _pieces(word))
        written = (_ONE.sub(r"\\", form) for piece in pieces for form in _forms(piece))
        return frozenset(form for form in written if len(form.strip()) >= _SHORTEST)

    @cached_property
    def probes(self) -> frozenset[str]:
        """The forms casefolded: looking for them costs microseconds, compiling a pattern costs milliseconds."""
        return frozenset(form.casefold() for form in self.forms)


_concealed: ContextVar[_Concealed | None] = ContextVar("concealed", default=None)

_BORN = r"(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_SHAPES = re.compile(
    # A plausible birth date inside is sign enough, even behind %3D, \n or id=
    rf"(?<!\d)\d{{6}}[ -]?{_BORN}[ -]?\d{{3}}[\dXxＸｘ](?!\d)"
    # any other 18: only where it stands alone, so that hashes and request ids stay whole
    r"|(?<![0-9A-Za-z])(?<!\d\.)\d{17}[\dXxＸｘ](?![0-9A-Za-z])"
    # 15 digits with a birth date; not the fraction of a float
    r"|(?<![0-9A-Za-z])(?<!\d\.)\d{8}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])"
)
# A backslash may be doubled any number of times: JSON inside JSON inside repr().
_ONE = re.compile(r"\\+")
_QUOTES = r"[\\'\"`]"
_APPCODE = re.compile(
    # the header's own spelling, plain or percent-encoded; then "appcode": "…" and appcode=…; then what the
    # gateway says: Invalid AppCode `…`; then anything as long as a real one
    rf"(?P<kept>APPCODE(?:\s|\+|%20)+{_QUOTES}*"
    rf"|(?i:appcode){_QUOTES}*\s*(?:[:=]|%3[Dd])\s*{_QUOTES}*"
    rf"|(?i:appcode)\s+{_QUOTES}+"
    r"|(?i:appcode)\s+(?=[0-9A-Za-z]{16}))"
    r"(?!(?i:appcode))[^\s\\'\"`&,;)}\]\u0080-\U0010ffff]+"
)


def conceal(*words: str) -> None:
    """Registers words (a name, a number, an AppCode) that no later log line of this context may show.

    Also hidden: their percent-encoded, escaped, HTML-escaped and garbled forms. Left out: words of one
    character, of more than 60 words the oldest, and what follows a word's first 2,000 characters. The context
    is the thread or task: call `forget` as each request or job begins, because threads are used again; not at
    its end, because errors are logged late.
    """
    concealed = _concealed.get()
    known = concealed.words if concealed else ()
    fresh = [word for word in dict.fromkeys(words) if len(word.strip()) >= _SHORTEST and word not in known]
    if fresh:
        _concealed.set(_Concealed((*known, *fresh)[-_MOST_WORDS:]))


def forget() -> None:
    """Drops the registered words of this context."""
    _concealed.set(None)


def redact_text(text: str) -> str:
    """The text with `…` for concealed words, for anything shaped like an ID number, and for AppCodes."""
    concealed = _concealed.get()
    if concealed:
        folded = _ONE.sub(r"\\", text).casefold()
        if any(probe in folded for probe in concealed.probes):
            text = _compile(concealed.forms).sub(GONE, text)
    return _SHAPES.sub(GONE, _APPCODE.sub(rf"\g<kept>{GONE}", text))


def redact_event(logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor, the last before the renderer: the event with nothing personal in keys or values.

    An unformatted `exc_info` is formatted here, so that no later processor brings the exception's text back.
    Never raises: what cannot be made safe is replaced by `…`.
    """
    try:
        event = dict(event_dict)
        trace = _formatted(event.pop("exc_info", None))
        if trace:
            event.setdefault("exception", trace)
        return _redact_mapping(event, 0)
    except Exception:  # noqa: BLE001 - a log line must neither break a paid call nor be written unredacted
        return {"event": GONE, "level": method if isinstance(method, str) else GONE, "redaction": "failed"}


def _formatted(exc_info: Any) -> str:
    if not exc_info:
        return ""
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    elif not isinstance(exc_info, tuple):
        exc_info = sys.exc_info()
    return "".join(traceback.format_exception(*exc_info)).rstrip() if exc_info[0] else ""


def _redact_mapping(mapping: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    redacted: dict[str, Any] = {}
    for key, value in mapping.items():
        plain = str(key)
        shown = redact_text(plain)
        while shown in redacted:
            shown += GONE
        hidden = plain.lower().replace("_", "").replace("-", "") in FIELDS
        redacted[shown] = GONE if hidden else _redact(value, depth + 1)
    return redacted


def _redact(value: Any, depth: int) -> Any:
    """The value made of plain types; anything unknown as its redacted text."""
    if value is None or isinstance(value, bool):
        return value
    if depth > _DEEPEST:
        return GONE
    if isinstance(value, int | float):
        # An ID number read as a float by a spreadsheet still shows 16 of its digits.
        long = 1e14 <= abs(value) < 1e18
        return GONE if long and (isinstance(value, float) or redact_text(str(value)) != str(value)) else value
    if isinstance(value, Mapping):
        return _redact_mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(item, depth + 1) for item in value]
    return _redact_other(value)


def _redact_other(value: Any) -> str:
    try:
        if isinstance(value, str):
            return redact_text(str(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return redact_text(bytes(value).decode("utf-8", "backslashreplace"))
        return redact_text(repr(value) if isinstance(value, BaseException) else str(value))
    except Exception:  # noqa: BLE001 - a broken __str__ of a foreign object
        return GONE


def _compile(forms: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(forms, key=len, reverse=True)
    # The look-behind keeps a text of 50,000 backslashes linear.
    alternatives = (re.escape(form).replace(r"\\", r"(?<!\\)\\+") for form in longest_first)
    return re.compile("|".join(alternatives), re.IGNORECASE)


def _pieces(word: str) -> Iterator[str]:
    """The word itself, or a longer one than any name cut into pieces of about one length."""
    word = word[: _PIECE * _MOST_PIECES]
    length = math.ceil(len(word) / math.ceil(len(word) / _PIECE))
    for start in range(0, len(word), length):
        yield word[start : start + length]


def _forms(word: str) -> Iterator[str]:
    """Every way a word of ours has been seen in logs: plain, URL, JSON, repr, bytes, HTML, wrong encoding."""
    utf8 = word.encode("utf-8", "surrogatepass")
    gb = word.encode("gb18030", "replace")
    garbled = utf8.decode("latin-1")
    yield from (word, garbled, garbled.strip(), repr(garbled)[1:-1], html.escape(word))
    yield from (json.dumps(word)[1:-1], ascii(word)[1:-1], repr(utf8)[2:-1], repr(gb)[2:-1])
    for encoded in (utf8, gb):
        once = quote(encoded, safe="")
        yield from (once, quote_plus(encoded), quote(once, safe=""))
    yield "".join(f"&#{ord(character)};" for character in word)
    yield "".join(f"&#x{ord(character):x};" for character in word)
    if re.fullmatch(r"\d{17}[\dXx]", word):
        yield from (f"{word[:6]}{gap}{word[6:14]}{gap}{word[14:]}" for gap in " -+")
