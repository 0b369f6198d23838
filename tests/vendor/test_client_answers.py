"""Answers no careful vendor gives: too long, packed, redirected, garbled."""

import gzip
import logging
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vendor.asking import APPCODE, NAME, NUMBER, ask, client
from tests.vendor.scripted import ScriptedVendor, answer, flood, http, part
from tests.vendor.table import body
from webapp.vendor.contract import BODY_LIMIT, Billed, Cause, Outcome, Retry


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 4096),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b" " * 4096),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n"),
    ],
)
def test_an_endless_body_is_read_no_further_than_the_limit(head: bytes, block: bytes) -> None:
    with ScriptedVendor(flood(head, block)) as vendor:
        reply = ask(vendor.url)
    assert (reply.outcome, reply.cause, reply.billed) == (Outcome.UNEXPECTED, Cause.NOT_JSON, Billed.YES)
    assert len(reply.raw) == BODY_LIMIT


def test_a_gzip_bomb_is_unpacked_no_further_than_the_limit() -> None:
    bomb = http(200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * 10_000_000))
    with ScriptedVendor(answer(bomb)) as vendor:
        reply = ask(vendor.url)
    assert (reply.outcome, len(reply.raw)) == (Outcome.UNEXPECTED, BODY_LIMIT)


def test_a_chunked_answer_is_read() -> None:
    sent = body("0000")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in sent) + b"0\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    with ScriptedVendor(answer(chunked)) as vendor, client(vendor.url) as made:
        replies = [made.verify(NAME, NUMBER, appcode=APPCODE) for _ in range(3)]
    assert [(reply.outcome, reply.raw) for reply in replies] == [(Outcome.MATCH, sent)] * 3
    assert vendor.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_even_to_a_vendor_that_answers(status: int) -> None:
    with ScriptedVendor() as other:
        redirect = http(status, {"Location": f"{other.url}/idenAuthentication"}, b"moved")
        with ScriptedVendor(answer(redirect)) as vendor:
            reply = ask(vendor.url)
    assert (reply.outcome, reply.cause) == (Outcome.UNEXPECTED, Cause.BACKEND_STATUS)
    assert (reply.billed, len(vendor.received), other.connections) == (Billed.NO, 1, 0)


@pytest.mark.parametrize("place", [b"http://[", b"\xff\xfe", b"//\x00", b"http://" + b"a" * 300])
def test_a_redirect_to_nonsense_is_only_an_unexpected_status(place: bytes) -> None:
    sent = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n"
    with ScriptedVendor(answer(sent)) as vendor:
        assert ask(vendor.url).cause is Cause.BACKEND_STATUS


def test_an_answer_whose_body_runs_into_its_headers_leaves_no_person_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")  # an instance opened before in this process may have quietened it
    broken = f"HTTP/1.1 200 OK\r\nServer: x\r\n张三 {NUMBER}\r\nContent-Length: 0\r\n\r\n".encode()
    with ScriptedVendor(part(broken)) as vendor:
        ask(vendor.url)
    assert "Starting new HTTP connection" in caplog.text  # what would leak is logged at all
    assert NUMBER not in caplog.text
    assert APPCODE not in caplog.text


lines = st.one_of(
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 403 No", b"HTTP/1.1 504 X", b"HTTP/1.0 302 F", b""]),
    st.sampled_from([b"X-Ca-Error-Code: B403MQ", b"X-Ca-Error-Message: Quota Exhausted", b"Content-Length: 9"]),
    st.sampled_from([b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Location: http://["]),
    st.sampled_from([b"Set-Cookie: a=b; expires=\xff", b"Content-Type: \xff; charset", b"Connection: close"]),
    st.binary(max_size=30),
)


@given(st.lists(lines, max_size=8), st.one_of(st.just(body("0000")), st.binary(max_size=40)), st.booleans())
@settings(max_examples=80)
def test_whatever_bytes_come_back_are_a_reply(head: list[bytes], content: bytes, opened: bool) -> None:
    start = b"HTTP/1.1 200 OK\r\n" if opened else b""
    with ScriptedVendor(part(start + b"\r\n".join([*head, b"", content]))) as vendor:
        reply = ask(vendor.url, chance=random.Random(0).random)
    assert reply.billed is Billed.NO or reply.retry is Retry.NEVER
    assert len(vendor.received) == reply.attempts
