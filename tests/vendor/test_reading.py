"""From status, headers and body to a reply: never an exception, no blame on a person who has none."""

import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendor.table import REQUEST_ID, TABLE, Known, body
from webapp.vendor import codes
from webapp.vendor.contract import BODY_LIMIT, Billed, Cause, Derived, Outcome, Reply, Retry
from webapp.vendor.reading import Answer, read_answer

MATCH = Outcome.MATCH


def said(content: bytes, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(Answer(200, named, content))


@pytest.mark.parametrize("known", TABLE.values(), ids=TABLE)
def test_every_row_of_the_table_is_read_as_it_says(known: Known) -> None:
    reply = read_answer(Answer(known.status, known.headers, known.body))
    assert (reply.outcome, reply.cause, reply.billed) == (known.outcome, known.cause, known.billed)
    assert (reply.retry, reply.stop) == (known.retry, known.stop)
    assert (reply.code, reply.http_status) == (known.code, known.status)
    assert reply.request_id == known.headers.get("X-Ca-Request-Id", "")


def test_the_gateways_code_decides_before_its_message_and_before_the_body() -> None:
    headers = {"X-Ca-Error-Code": "B403MQ", "X-Ca-Error-Message": "Throttled by API Flow Control"}
    assert read_answer(Answer(403, headers, body("0000"))).cause is Cause.QUOTA_EXHAUSTED
    assert read_answer(Answer(200, headers, body("0000"))).cause is Cause.QUOTA_EXHAUSTED


def test_a_success_may_carry_the_message_ok() -> None:
    assert said(body("0000"), X_Ca_Error_Message="OK").outcome is MATCH


def test_a_success_is_read_though_a_header_claims_a_code_that_is_none() -> None:
    assert said(body("0000"), X_Ca_Error_Code="OK").outcome is MATCH


def test_header_names_are_read_in_any_case_and_a_doubled_code_counts_once() -> None:
    answer = Answer(403, {"x-ca-ERROR-code": "B403MQ, B403MQ", "X-CA-REQUEST-ID": REQUEST_ID})
    reply = read_answer(answer)
    assert (reply.cause, reply.code, reply.request_id) == (Cause.QUOTA_EXHAUSTED, "B403MQ", REQUEST_ID)


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=GBK", "", "application/octet-stream"])
def test_json_is_read_whatever_the_content_type_says(kind: str) -> None:
    assert said(body("0000"), Content_Type=kind).outcome is MATCH


def test_json_is_read_behind_a_byte_order_mark() -> None:
    assert said(b"\xef\xbb\xbf" + body("0000")).outcome is MATCH


def test_match_and_mismatch_carry_what_the_number_tells() -> None:
    told = {"province": "安徽省", "city": "淮南市", "county": "凤台县"}
    told |= {"birthday": "19071014", "sex": "M", "age": "111"}
    for code in ("0000", "0008"):
        assert said(body(code, **told)).derived == Derived("安徽省", "淮南市", "凤台县", "19071014", "M", "111")
    assert said(body("0007", **told)).derived is None
    assert said(body("0000")).derived is None


@pytest.mark.parametrize(
    "garbled",
    [
        {"province": 7, "city": ["淮南市"], "county": None, "birthday": 19071014, "sex": True, "age": 111},
        {"province": "\x00", "city": "\ud800", "county": "凤\n台", "birthday": "1907-10-14", "sex": "男"},
        {"province": "省" * 65, "birthday": "190710145", "sex": "MF", "age": "1111"},
    ],
)
def test_garbled_derived_fields_are_left_empty_and_the_outcome_stands(garbled: dict[str, object]) -> None:
    reply = said(json.dumps({"respCode": "0000", **garbled}).encode())
    assert (reply.outcome, reply.derived) == (MATCH, None)


@pytest.mark.parametrize(
    "value",
    ["0", "null", "true", "[]", '["0000"]', '{"respCode":"0000"}', "0000.0", '"0000 "', '" 0000"', '""'],
)
def test_a_respcode_that_is_not_one_of_the_texts_is_no_outcome(value: str) -> None:
    reply = said(f'{{"respCode": {value}}}'.encode())
    assert (reply.outcome, reply.billed) == (Outcome.UNEXPECTED, Billed.YES)


@pytest.mark.parametrize(
    "content",
    [
        b'{"respCode": "0000", "respCode": "0008"}',
        b'{"respCode": "0008", "respCode": "0000"}',
        b'{"respCode": "0000", "age": NaN}',
        b'{"respCode": "0000", "age": Infinity}',
        b'{"respCode": "0000", "name": "\xd5\xc5"}',
        b'{"respCode": "0000"} {"respCode": "0008"}',
        b'\xff\xfe{"respCode": "0000"}',
        b'{"respCode": ' + b"9" * 5000 + b"}",
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b"null",
    ],
)
def test_content_that_is_not_one_unambiguous_json_is_no_outcome(content: bytes) -> None:
    reply = said(content)
    assert (reply.outcome, reply.cause, reply.billed) == (Outcome.UNEXPECTED, Cause.NOT_JSON, Billed.YES)
    assert reply.raw == content


def test_a_success_that_broke_off_is_unknown_even_if_what_came_looks_whole() -> None:
    reply = read_answer(Answer(200, {"X-Ca-Request-Id": REQUEST_ID}, body("0000"), broken=True))
    assert (reply.outcome, reply.cause, reply.billed) == (Outcome.UNKNOWN, Cause.NO_ANSWER, Billed.UNKNOWN)
    assert (reply.http_status, reply.request_id) == (200, REQUEST_ID)


def test_a_refusal_is_one_though_its_body_broke_off() -> None:
    reply = read_answer(Answer(403, {"X-Ca-Error-Code": "B403MQ"}, b"par", broken=True))
    assert reply.cause is Cause.QUOTA_EXHAUSTED


def test_a_body_over_the_limit_is_no_outcome_and_is_cut() -> None:
    content = body("0000", padding="x" * BODY_LIMIT)
    reply = said(content)
    assert (reply.outcome, reply.cause, reply.billed) == (Outcome.UNEXPECTED, Cause.NOT_JSON, Billed.YES)
    assert reply.raw == content[:BODY_LIMIT]


def test_a_body_of_exactly_the_limit_is_read() -> None:
    padding = "x" * (BODY_LIMIT - len(body("0000", padding="")))
    assert said(body("0000", padding=padding)).outcome is MATCH


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "deflate"])
def test_a_compressed_answer_is_read_though_none_was_asked_for(encoding: str) -> None:
    packed = zlib.compress(body("0000")) if encoding == "deflate" else gzip.compress(body("0000"))
    reply = said(packed, Content_Encoding=encoding)
    assert (reply.outcome, reply.raw) == (MATCH, body("0000"))


def test_a_compressed_bomb_is_unfolded_no_further_than_the_limit() -> None:
    bomb = gzip.compress(b" " * 5_000_000)
    tracemalloc.start()
    reply = said(bomb, Content_Encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (reply.outcome, len(reply.raw)) == (Outcome.UNEXPECTED, BODY_LIMIT)
    assert peak < 500_000


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip", "nonsense"])
def test_an_answer_in_a_wrong_compression_is_kept_as_it_came(encoding: str) -> None:
    reply = said(b"\x8b\x00nonsense", Content_Encoding=encoding)
    assert (reply.cause, reply.raw) == (Cause.NOT_JSON, b"\x8b\x00nonsense")


@pytest.mark.parametrize("wrong", ["x" * 65, "a b", "é", "a\x1bb", "\x00"])
def test_a_request_id_that_cannot_be_one_is_dropped(wrong: str) -> None:
    assert said(body("0000"), X_Ca_Request_Id=wrong).request_id == ""


@pytest.mark.parametrize("code", ["11010519491231002X", "张三", "<b>", "00 05"])
def test_a_code_that_is_too_long_or_no_code_is_not_shown(code: str) -> None:
    assert said(body(code)).code == ""
    assert read_answer(Answer(403, {"X-Ca-Error-Code": code})).code == ""


def test_the_words_of_the_gateway_are_not_kept() -> None:
    signed = "Invalid Signature, Server StringToSign:`idNo=11010519491231002X`"
    reply = read_answer(Answer(400, {"X-Ca-Error-Message": signed}))
    assert "11010519491231002X" not in "".join(str(getattr(reply, name)) for name in Reply.__slots__)


def test_what_is_printed_of_an_answer_or_a_reply_names_no_person() -> None:
    answer = Answer(200, {"X-Note": "张三"}, body("0000", province="安徽省", age="111"))
    reply = read_answer(answer)
    assert reply.derived is not None
    printed = f"{answer!r} {reply!r} {reply.derived!r} {reply}"
    assert not any(word in printed for word in ("张三", "11010519491231002X", "安徽省", "111", "\\xe5"))


def test_an_admins_table_decides_what_a_respcode_costs() -> None:
    reply = read_answer(Answer(200, {}, body("0010")), {"0010": Billed.NO})
    assert (reply.outcome, reply.billed) == (Outcome.MAINTENANCE, Billed.NO)


members = st.dictionaries(
    st.sampled_from(["respCode", "province", "age", "sex", "x"]),
    st.one_of(st.sampled_from(["0000", "0008", "0010"]), st.text(), st.none(), st.floats(), st.lists(st.none())),
)
bodies = st.one_of(st.binary(max_size=200), members.map(lambda content: json.dumps(content).encode()))
headers = st.dictionaries(
    st.one_of(
        st.sampled_from(["X-Ca-Error-Code", "x-ca-error-message", "X-Ca-Request-Id", "Content-Encoding"]),
        st.text(max_size=20),
    ),
    st.one_of(st.sampled_from(["B403MQ", "D504CO", "OK", "Quota Exhausted", "gzip"]), st.text(max_size=80)),
    max_size=4,
)


@given(st.integers(0, 999), headers, bodies, st.booleans())
def test_whatever_comes_is_a_consistent_reply(
    status: int, fields: dict[str, str], content: bytes, broken: bool
) -> None:
    reply = read_answer(Answer(status, fields, content, broken))
    assert (reply.outcome is Outcome.UNKNOWN) == (reply.billed is Billed.UNKNOWN)
    assert reply.billed is Billed.NO or reply.retry is Retry.NEVER
    if reply.outcome in (Outcome.MATCH, Outcome.MISMATCH, Outcome.NO_SUCH_NUMBER):
        assert status == 200
        assert not broken
        assert reply.code in codes.RESP_CODES
