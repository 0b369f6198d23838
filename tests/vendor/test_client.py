"""The client over real sockets: what is sent, what the table's answers become, what is sent again."""

from urllib.parse import parse_qs

import pytest

from tests.vendor.asking import APPCODE, NAME, NUMBER, Time, ask, client, is_unknown
from tests.vendor.scripted import MATCH, ScriptedVendor, answer, http, reset
from tests.vendor.table import REQUEST_ID, TABLE, Known, body
from webapp.vendor.contract import Billed, Cause, Outcome

THROTTLED = http(429, {"X-Ca-Error-Code": "T429PA"})
UNREACHABLE = http(504, {"X-Ca-Error-Code": "D504CO"})
BUSY = http(503, {"X-Ca-Error-Code": "X503BZ"})


def test_a_call_is_the_post_the_manual_describes() -> None:
    with ScriptedVendor() as vendor:
        ask(vendor.url)
    [request] = vendor.received
    assert request.line == "POST /idenAuthentication HTTP/1.1"
    assert request.headers["authorization"] == f"APPCODE {APPCODE}"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert request.headers["accept-encoding"] == "identity"
    assert request.body == b"idNo=11010519491231002X&name=%E5%BC%A0%E4%B8%89%C2%B7%E9%98%BF"


@pytest.mark.parametrize("name", ["张三·阿", "&=+%", "a b\u3000c", "李𬱖", "\x00\r\n", "x" * 5000, ""])
def test_any_name_arrives_as_it_was_typed(name: str) -> None:
    with ScriptedVendor() as vendor, client(vendor.url) as made:
        made.verify(name, NUMBER, appcode=APPCODE)
    fields = parse_qs(vendor.received[0].body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert fields == {"idNo": [NUMBER], "name": [name]}


def test_the_appcode_is_in_one_header_and_nowhere_else() -> None:
    with ScriptedVendor() as vendor:
        ask(vendor.url)
    [request] = vendor.received
    assert (request.head + request.body).count(APPCODE.encode()) == 1


@pytest.mark.parametrize("wrong", ["", "a\r\nX: y", "a b", "密钥", "a\x00", "a\x7f", " a"])
def test_an_appcode_that_cannot_be_one_is_refused_unsent(wrong: str) -> None:
    with ScriptedVendor() as vendor, client(vendor.url) as made:
        reply = made.verify(NAME, NUMBER, appcode=wrong)
    assert (reply.outcome, reply.cause, reply.billed) == (Outcome.REFUSED, Cause.APPCODE_INVALID, Billed.NO)
    assert (reply.attempts, vendor.connections) == (0, 0)


def test_a_name_that_is_no_text_is_refused_unsent() -> None:
    with ScriptedVendor() as vendor, client(vendor.url) as made:
        reply = made.verify("\ud800", NUMBER, appcode=APPCODE)
    assert (reply.cause, reply.billed) == (Cause.REQUEST_MALFORMED, Billed.NO)
    assert (reply.attempts, vendor.connections) == (0, 0)


@pytest.mark.parametrize("known", TABLE.values(), ids=TABLE)
def test_every_row_is_answered_and_asked_as_often_as_the_table_allows(known: Known) -> None:
    with ScriptedVendor(answer(http(known.status, known.headers, known.body))) as vendor:
        reply = ask(vendor.url)
    assert (reply.outcome, reply.cause, reply.billed) == (known.outcome, known.cause, known.billed)
    assert (reply.code, reply.http_status, reply.stop) == (known.code, known.status, known.stop)
    assert reply.request_id == known.headers.get("X-Ca-Request-Id", "")
    assert len(vendor.received) == reply.attempts == known.requests


def test_a_full_answer_is_told_in_full() -> None:
    sent = body("0008", province="安徽省", sex="M")
    with ScriptedVendor(answer(http(200, {"X-Ca-Request-Id": REQUEST_ID}, sent))) as vendor:
        reply = ask(vendor.url)
    assert (reply.outcome, reply.request_id, reply.raw) == (Outcome.MISMATCH, REQUEST_ID, sent)
    assert reply.derived is not None
    assert (reply.derived.province, reply.derived.sex, reply.attempts) == ("安徽省", "M", 1)


@pytest.mark.parametrize(
    ("refusals", "requests"), [([THROTTLED] * 3, 4), ([UNREACHABLE], 2), ([BUSY], 2), ([BUSY, THROTTLED], 3)]
)
def test_a_refusal_that_passes_is_outlived(refusals: list[bytes], requests: int) -> None:
    with ScriptedVendor(*map(answer, [*refusals, MATCH])) as vendor:
        reply = ask(vendor.url)
    assert (reply.outcome, reply.attempts, len(vendor.received)) == (Outcome.MATCH, requests, requests)


def test_pauses_double_and_are_spread_by_chance() -> None:
    with ScriptedVendor(answer(THROTTLED)) as vendor:
        shortest, longest = Time(), Time()
        ask(vendor.url, shortest, chance=lambda: 0.0)
        reply = ask(vendor.url, longest, chance=lambda: 1.0)
    assert shortest.slept == [0.25, 0.5, 1.0]
    assert longest.slept == [0.5, 1.0, 2.0]
    assert reply.latency_ms >= 3500


@pytest.mark.parametrize(
    ("refusals", "attempts"),
    [([THROTTLED, THROTTLED, UNREACHABLE, THROTTLED, MATCH], 4), ([UNREACHABLE, BUSY, MATCH], 2)],
)
def test_refusals_of_several_kinds_share_the_limits(refusals: list[bytes], attempts: int) -> None:
    with ScriptedVendor(*map(answer, refusals)) as vendor:
        reply = ask(vendor.url)
    assert (reply.outcome, reply.attempts, len(vendor.received)) == (Outcome.REFUSED, attempts, attempts)


def test_an_unreachable_vendor_is_asked_again_once_not_once_per_answer_in_between() -> None:
    with ScriptedVendor(*map(answer, [UNREACHABLE, THROTTLED, UNREACHABLE, MATCH])) as vendor:
        reply = ask(vendor.url)
    assert (reply.cause, reply.attempts) == (Cause.VENDOR_UNREACHABLE, 3)


def test_no_pause_is_begun_that_leaves_no_time_for_an_answer() -> None:
    clock = Time()
    with ScriptedVendor(answer(THROTTLED)) as vendor:
        reply = ask(vendor.url, clock, deadline=1.6, chance=lambda: 1.0)
    assert (reply.cause, reply.attempts, clock.slept) == (Cause.THROTTLED, 2, [0.5])


def test_nothing_that_may_have_been_spent_is_sent_again() -> None:
    with ScriptedVendor(answer(THROTTLED), reset, answer()) as vendor:
        reply = ask(vendor.url)
    assert is_unknown(reply)
    assert (reply.attempts, len(vendor.received)) == (2, 2)
