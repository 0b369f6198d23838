"""No log line shows a known person, an ID number or an AppCode, however it got there."""

import contextvars
import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from webapp.foundation import redaction
from webapp.foundation.redaction import GONE, conceal, forget, redact_event, redact_text

NAME, NUMBER, APPCODE = "阿凡提·\U00020bb7野", "11010519491231002X", "sandbox0appcode0for0tests0only00"
few = settings(max_examples=25)
# Not st.text(): its table of all characters takes a second to build.
texts = st.lists(st.integers(0, 0x10FFFF).map(chr), max_size=20).map("".join)


@pytest.fixture(autouse=True)
def _fresh_context() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def known_people() -> None:
    conceal(NAME, NUMBER, APPCODE, "张三")


def logged(event: str, **fields: Any) -> str:
    """The line that structlog writes with our processor last."""
    written: list[str] = []

    class Sink:
        def msg(self, line: str) -> None:
            written.append(line)

        info = error = msg

    log = structlog.wrap_logger(Sink(), processors=[redact_event, structlog.processors.JSONRenderer()])
    log.error(event, **fields)
    return written[0]


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent-encoded": quote,
    "percent-encoded in lower case": lambda word: quote(word).lower(),
    "twice percent-encoded": lambda word: quote(quote(word)),
    "form": quote_plus,
    "form in GB 18030": lambda word: quote(word.encode("gb18030")),
    "JSON": json.dumps,
    "JSON in JSON": lambda word: json.dumps(json.dumps(word)),
    "JSON in upper case": lambda word: json.dumps(word).replace("\\u", "\\U").upper().replace("\\U", "\\u"),
    "ascii()": ascii,
    "repr()": lambda word: repr([word]),
    "bytes": lambda word: repr(word.encode()),
    "wrong encoding": lambda word: word.encode().decode("latin-1"),
    "repr() of wrong encoding": lambda word: repr(word.encode().decode("latin-1")),
    "HTML": lambda word: "".join(f"&#{ord(c)};" for c in word),
    "HTML in hexadecimal": lambda word: "".join(f"&#x{ord(c):X};" for c in word),
    "lower case": str.lower,
}


@pytest.mark.usefixtures("known_people")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", [NAME, NUMBER, APPCODE, "张三"], ids=["name", "number", "appcode", "short"])
def test_a_concealed_word_is_hidden_in_every_form(word: str, form: str) -> None:
    shown = redact_text(f"before={FORMS[form](word)}&after")
    assert shown.startswith("before=")
    assert shown.endswith("&after")
    quotes = "\"'b[]\\"
    assert shown[7:-6].strip(quotes) == GONE


@pytest.mark.usefixtures("known_people")
def test_a_request_body_and_its_address_are_hidden() -> None:
    body = urlencode({"idNo": NUMBER, "name": NAME})
    assert redact_text(f"POST /idenAuthentication?{body} HTTP/1.1") == (
        f"POST /idenAuthentication?idNo={GONE}&name={GONE} HTTP/1.1"
    )


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002X",
        "11010519491231002x",
        "440524188001010014",
        "110105491231002",
        "号码11010519491231002X不符",
        "idNo=11010519491231002X&name=",
        "idNo%3D11010519491231002X%26",
        "\\n11010519491231002X\\n",
        "n11010519491231002X",
        "110105 19491231 002X",
        "110105-19491231-002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "(110105194913310021)",
        "'110105491231002'",
    ],
)
def test_an_unknown_number_is_hidden_by_its_shape(text: str) -> None:
    assert GONE in redact_text(text)
    assert "1231" not in redact_text(text)
    assert not any(digits in redact_text(text) for digits in ("0105", "0524", "194913", "０１０５"))


@pytest.mark.parametrize(
    "text",
    [
        "request_id=6f1e1c3a-9d0b-4a55-8c2e-110105194912",
        "sha256=a1b2c3110105999913310021ffee00",
        "1700000000000000000",
        "1700000000123456",
        "2025-06-30T08:15:30.123456+08:00",
        "0.110105491231002",
        "latency 1.10105491231002e-05",
        "remaining=9115 used=6700",
        "B403MQ Api Market Subscription quota exhausted",
        "AppCode 无效",
        "Invalid AppCode",
    ],
)
def test_ids_times_and_figures_stay_readable(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: APPCODE abc123", f"Authorization: APPCODE {GONE}"),
        ("{'Authorization': 'APPCODE abc123'}", f"{{'Authorization': 'APPCODE {GONE}'}}"),
        ('{"appcode": "abc123"}', f'{{"appcode": "{GONE}"}}'),
        ('{\\"AppCode\\":\\"abc123\\"}', f'{{\\"AppCode\\":\\"{GONE}\\"}}'),
        ("?appcode=abc123&x=1", f"?appcode={GONE}&x=1"),
        ("APPCODE%20abc123", f"APPCODE%20{GONE}"),
        ("APPCODE+abc123", f"APPCODE+{GONE}"),
        ("appcode: APPCODE abc123", f"appcode: APPCODE {GONE}"),
        ("Invalid AppCode `abc123`", f"Invalid AppCode `{GONE}`"),
        ("appcode sandbox0appcode0for0", f"appcode {GONE}"),
    ],
)
def test_an_appcode_is_hidden_without_being_known(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.usefixtures("known_people")
def test_nothing_known_stays_in_nested_structures_keys_or_bytes() -> None:
    line = logged(
        f"verifying {NAME}",
        person={"who": [NAME, (NUMBER, {"deep": {NAME}})], NAME: 1, NUMBER: 2},
        body=urlencode({"q": NAME}).encode(),
        garbled=NAME.encode("gb18030"),
        amount=Decimal("110105194912310026"),
        path=PurePosixPath("/people") / NAME,
        whole=110105194912310026,
        cell=1.1010519491231e17,
        kept=[1, 2.5, True, None, 1_700_000_000_000],
    )
    event = json.loads(line)
    assert NAME not in event["event"]
    for word in (NAME, NUMBER, "1101051949", "11010519491231", "e+17", "\\ud842", quote(NAME)):
        assert word not in line
    assert event["kept"] == [1, 2.5, True, None, 1_700_000_000_000]
    assert event["person"] == {"who": [GONE, [GONE, {"deep": [GONE]}]], GONE: 1, GONE * 2: 2}


@pytest.mark.parametrize(
    "field",
    ["name", "id_number", "idNo", "ID-Number", "password", "appcode", "code", "Authorization", "Set-Cookie"],
)
def test_fields_that_are_personal_by_name_lose_their_value(field: str) -> None:
    event: EventDict = {"event": "x", field: "unregistered", "form": {field: ["unregistered"]}}
    assert redact_event(None, "info", event) == {"event": "x", field: GONE, "form": {field: GONE}}


def fail_over(name: str, number: str) -> None:
    try:
        raise LookupError(f"no row for {number}")
    except LookupError as error:
        error.add_note(f"asked for {name}")
        raise RuntimeError({"name": name}, number.encode()) from error


@pytest.mark.usefixtures("known_people")
@pytest.mark.parametrize("how", ["true", "error", "tuple", "formatted"])
def test_nothing_known_stays_in_a_traceback(how: str) -> None:
    try:
        fail_over(NAME, NUMBER)
    except RuntimeError as error:
        forms = {"true": True, "error": error, "tuple": (RuntimeError, error, error.__traceback__)}
        fields: EventDict = {"exc_info": forms.get(how, error), "error": error}
        if how == "formatted":
            fields = dict(structlog.processors.format_exc_info(None, "error", fields))
        line = logged("broke", **fields)
    assert "fail_over" in line
    assert "LookupError" in line
    assert "asked for" in line
    for word in (NAME, NUMBER, "1101051949", ascii(NAME)[1:-1], json.dumps(NAME)[1:-1]):
        assert word not in line


def test_an_exception_no_one_is_handling_leaves_no_trace() -> None:
    assert "exception" not in redact_event(None, "info", {"event": "x", "exc_info": True})


def test_words_belong_to_their_context() -> None:
    contextvars.copy_context().run(conceal, "张三")
    assert redact_text("张三") == "张三"
    conceal("李四")
    seen: list[str] = []
    other = threading.Thread(target=lambda: seen.append(redact_text("李四")))
    other.start()
    other.join()
    assert seen == ["李四"]
    assert redact_text("李四") == GONE
    forget()
    assert redact_text("李四") == "李四"


def test_a_single_character_or_blanks_are_no_word() -> None:
    conceal("一", "", "  ", "\n\n\n", " 一")
    assert redact_text("一切  正常\n\n\n") == "一切  正常\n\n\n"


@pytest.mark.parametrize("length", [100, 101, 250])
def test_a_long_word_is_hidden_whole(length: int) -> None:
    word = "".join(chr(0x4E00 + i) for i in range(length))
    conceal(word)
    assert not set(redact_text(f"<{word}>")) - {"<", ">", GONE}


@pytest.mark.usefixtures("known_people")
@pytest.mark.parametrize("filler", ["\\", "appcode ", "appcode\\", "1", "%E5%BC%A0", "\\u5f20", " "])
def test_a_long_text_is_answered_at_once(filler: str) -> None:
    text = f"张三 {filler * 10_000} 张三"
    assert redact_text(text).startswith(f"{GONE} ")
    assert redact_text(text).endswith(f" {GONE}")


def test_the_longest_of_two_words_wins() -> None:
    conceal("张三", "张三丰")
    assert redact_text("张三丰和张三") == f"{GONE}和{GONE}"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("张三")

    __repr__ = __str__


class Unreadable(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("张三")

    keys = items


def test_the_processor_never_raises() -> None:
    endless: list[Any] = []
    endless.append(endless)
    line = logged("x", broken=Unprintable(), endless=endless, number=float("nan"), huge=10**5000 > 0)
    assert json.loads(line)["broken"] == GONE
    assert redact_event(None, "info", {"event": "x", "deep": Unreadable()})["redaction"] == "failed"
    assert redact_event(None, "info", {Unprintable(): 1})["event"] == GONE  # type: ignore[dict-item]


@given(st.recursive(st.none() | texts | st.binary() | st.integers() | st.floats(), st.lists, max_leaves=10))
@few
def test_anything_can_be_logged(value: Any) -> None:
    conceal("张三")
    event = redact_event(None, "info", {"event": "x", "value": value})
    assert json.dumps(event)
    assert "redaction" not in event


@given(texts, st.sampled_from([NAME, NUMBER, "张三"]), texts)
@few
def test_a_concealed_word_never_survives_its_surroundings(before: str, word: str, after: str) -> None:
    forget()
    conceal(word)
    assert word not in redaction.redact_text(before + word + after).replace(GONE, "\n")
