"""The client over real sockets: what a vendor, a proxy and a network can do to a call that costs money."""

import gzip
import logging
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vendor.certificates import HOST, Identity, make_identity
from tests.vendor.scripted import (
    MATCH,
    ScriptedVendor,
    Turn,
    answer,
    flood,
    half_close,
    http,
    part,
    reset,
    silence,
    trickle,
)
from tests.vendor.table import REQUEST_ID, TABLE, Known, body
from webapp.vendor.client import Route, VendorClient
from webapp.vendor.contract import BODY_LIMIT, Billed, Cause, Outcome, Reply, Retry

NAME, NUMBER, APPCODE = "张三·阿", "11010519491231002X", "83359fd73fe94948385f570e3c139105"
THROTTLED = http(429, {"X-Ca-Error-Code": "T429PA"})
UNREACHABLE = http(504, {"X-Ca-Error-Code": "D504CO"})
BUSY = http(503, {"X-Ca-Error-Code": "X503BZ"})


class Time:
    """Real time that can be pushed ahead: who sleeps in it does not wait."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead += seconds


@contextmanager
def client(url: str, clock: Time | None = None, **options: Any) -> Iterator[VendorClient]:
    seams = {name: options.pop(name) for name in ("resolver", "chance") if name in options}
    clock = clock or Time()
    made = VendorClient(Route(url, **options), clock=clock.now, sleep=clock.sleep, **seams)
    try:
        yield made
    finally:
        made.close()


def ask(url: str, clock: Time | None = None, **options: Any) -> Reply:
    with client(url, clock, **options) as made:
        return made.verify(NAME, NUMBER, appcode=APPCODE)


def is_unknown(reply: Reply) -> bool:
    return (reply.outcome, reply.billed, reply.cause) == (Outcome.UNKNOWN, Billed.UNKNOWN, Cause.NO_ANSWER)


def is_network(reply: Reply) -> bool:
    return (reply.outcome, reply.billed, reply.cause) == (Outcome.REFUSED, Billed.NO, Cause.NETWORK)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


# What is sent


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


# The table, over the wire


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


# Retries


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
        reply = ask(vendor.url, clock, deadline=1.2, chance=lambda: 1.0)
    assert (reply.cause, reply.attempts, clock.slept) == (Cause.THROTTLED, 2, [0.5])


def test_nothing_that_may_have_been_spent_is_sent_again() -> None:
    with ScriptedVendor(answer(THROTTLED), reset, answer()) as vendor:
        reply = ask(vendor.url)
    assert is_unknown(reply)
    assert (reply.attempts, len(vendor.received)) == (2, 2)


# Failed before sending: not spent


def test_a_refused_connection_is_the_networks_and_is_tried_again(closed_port: int) -> None:
    reply = ask(f"http://127.0.0.1:{closed_port}")
    assert is_network(reply)
    assert (reply.attempts, reply.http_status, reply.stop) == (4, None, None)


def test_a_name_that_does_not_resolve_is_the_networks() -> None:
    def resolver(host: str, port: int) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert is_network(ask("https://vendor.test", resolver=resolver))


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    released = threading.Event()

    def resolver(host: str, port: int) -> list[Any]:
        released.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "late")

    began = time.monotonic()
    reply = ask("https://vendor.test", resolver=resolver, connect_timeout=0.05, deadline=1)
    released.set()
    assert is_network(reply)
    assert time.monotonic() - began < 1


def test_the_second_address_of_a_name_is_tried_when_the_first_refuses(closed_port: int) -> None:
    with ScriptedVendor() as vendor:

        def resolver(host: str, port: int) -> list[Any]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", usable))
                for usable in (closed_port, vendor.port)
            ]

        reply = ask("http://localhost:1", resolver=resolver)
    assert (reply.outcome, reply.attempts) == (Outcome.MATCH, 1)


def test_a_certificate_nobody_vouches_for_is_the_networks_and_nothing_is_sent(identity: Identity) -> None:
    with ScriptedVendor(tls=identity.server) as vendor:
        reply = ask(vendor.url)
    assert is_network(reply)
    assert vendor.received == []


def test_a_trusted_certificate_of_another_host_is_the_networks_and_nothing_is_sent(
    identity: Identity,
) -> None:
    with ScriptedVendor(tls=identity.server) as vendor:
        url = f"https://localhost:{vendor.port}"
        reply = ask(url, ca_bundle=str(identity.bundle))
    assert is_network(reply)
    assert vendor.received == []


def test_a_vendor_vouched_for_by_the_ca_bundle_is_asked(identity: Identity) -> None:
    with ScriptedVendor(tls=identity.server) as vendor:
        reply = ask(vendor.url, ca_bundle=str(identity.bundle))
    assert (reply.outcome, len(vendor.received)) == (Outcome.MATCH, 1)


def test_a_handshake_that_never_comes_is_the_networks(identity: Identity) -> None:
    with ScriptedVendor(tls=identity.server, handshake=False) as vendor:
        reply = ask(vendor.url, ca_bundle=str(identity.bundle), connect_timeout=0.05)
    assert is_network(reply)
    assert (vendor.received, vendor.connections) == ([], reply.attempts)


def test_a_vendor_that_speaks_no_tls_is_sent_nothing() -> None:
    with ScriptedVendor() as vendor:
        reply = ask(vendor.url.replace("http:", "https:"), connect_timeout=0.1)
    assert is_network(reply)
    assert vendor.received == []


def test_when_the_time_is_nearly_over_nothing_is_sent_that_could_only_end_as_unknown() -> None:
    clock = Time()

    def resolver(host: str, port: int) -> list[Any]:
        clock.ahead += 19
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    with ScriptedVendor() as vendor:
        reply = ask(vendor.url, clock, resolver=resolver, deadline=20)
    assert is_network(reply)
    assert vendor.received == []


# Broke after sending: perhaps spent


@pytest.mark.parametrize(
    "script",
    [
        part(b""),
        reset,
        part(MATCH[:20]),
        part(MATCH[:40]),
        part(b"HTTP/1.1 403 Forbidden\r\n"),
        part(MATCH[:-1]),
        half_close(b""),
        half_close(MATCH[:-1]),
        part(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"),
        part(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
        part(b"this is no http\r\n\r\n"),
        part(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"),
        part(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n"),
        part(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n12345"),
        part(b"HTTP/1.1 103 Early Hints\r\n\r\n" + MATCH),
        part(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    ],
)
def test_an_answer_that_breaks_or_is_none_is_unknown_and_asked_for_once(script: Any) -> None:
    with ScriptedVendor(script, answer()) as vendor:
        reply = ask(vendor.url)
    assert is_unknown(reply)
    assert (reply.attempts, len(vendor.received)) == (1, 1)


def test_silence_is_unknown_after_the_read_timeout() -> None:
    with ScriptedVendor(silence) as vendor:
        reply = ask(vendor.url, read_timeout=0.1)
    assert is_unknown(reply)
    assert len(vendor.received) == 1
    assert reply.latency_ms < 1000


@pytest.mark.parametrize("at_once", [0, 40, len(MATCH) - 60])
def test_the_deadline_holds_against_a_vendor_that_trickles(at_once: int) -> None:
    with ScriptedVendor(trickle(MATCH, at_once)) as vendor:
        reply = ask(vendor.url, deadline=0.3)
    assert is_unknown(reply)
    assert len(vendor.received) == 1
    assert 290 <= reply.latency_ms < 700


def test_the_deadline_holds_against_a_vendor_that_trickles_over_tls(identity: Identity) -> None:
    with ScriptedVendor(trickle(MATCH), tls=identity.server) as vendor:
        reply = ask(vendor.url, ca_bundle=str(identity.bundle), deadline=0.3)
    assert is_unknown(reply)
    assert 290 <= reply.latency_ms < 700


def test_a_slow_answer_within_the_deadline_counts() -> None:
    with ScriptedVendor(trickle(MATCH, every=0.0005)) as vendor:
        assert ask(vendor.url, read_timeout=5).outcome is Outcome.MATCH


def test_a_refusal_counts_though_its_body_never_ends() -> None:
    refusal = http(403, {"X-Ca-Error-Code": "B403MQ", "Content-Length": "100"}, b"some")
    with ScriptedVendor(trickle(refusal + b" " * 96, len(refusal))) as vendor:
        reply = ask(vendor.url, deadline=0.3)
    assert (reply.cause, reply.billed) == (Cause.QUOTA_EXHAUSTED, Billed.NO)


# Too much, packed, redirected


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
    with ScriptedVendor(answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)) as vendor:
        reply = ask(vendor.url)
    assert (reply.outcome, reply.raw) == (Outcome.MATCH, sent)


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


# Connections


def test_connections_are_used_again() -> None:
    with ScriptedVendor() as vendor, client(vendor.url) as made:
        replies = [made.verify(NAME, NUMBER, appcode=APPCODE) for _ in range(5)]
    assert {reply.outcome for reply in replies} == {Outcome.MATCH}
    assert vendor.connections == 1


@pytest.mark.parametrize("last", [MATCH, THROTTLED, http(500, {}, b"<html>")])
def test_a_connection_the_vendor_closed_meanwhile_is_replaced_before_anything_is_sent(last: bytes) -> None:
    with ScriptedVendor(part(last), answer()) as vendor, client(vendor.url) as made:
        made.verify(NAME, NUMBER, appcode=APPCODE)
        vendor.ended.acquire(timeout=5)
        reply = made.verify(NAME, NUMBER, appcode=APPCODE)
    assert (reply.outcome, reply.attempts) == (Outcome.MATCH, 1)


def test_a_connection_idle_for_long_is_replaced_before_anything_is_sent() -> None:
    clock = Time()
    with ScriptedVendor() as vendor, client(vendor.url, clock) as made:
        for pause in (0, 3.5, 4.5):
            clock.ahead += pause
            made.verify(NAME, NUMBER, appcode=APPCODE)
    assert (vendor.connections, len(vendor.received)) == (2, 3)


def test_a_pooled_connection_that_breaks_on_a_request_is_unknown_and_never_sent_again() -> None:
    with ScriptedVendor(answer(), part(b""), answer()) as vendor, client(vendor.url) as made:
        made.verify(NAME, NUMBER, appcode=APPCODE)
        reply = made.verify(NAME, NUMBER, appcode=APPCODE)
    assert is_unknown(reply)
    assert (reply.attempts, len(vendor.received), vendor.connections) == (1, 2, 1)


def test_an_answer_nobody_asked_for_does_not_reach_the_next_caller() -> None:
    extra = http(200, {}, body("0008"))
    sent = threading.Event()

    def twice(turn: Turn) -> bool:
        turn.send(MATCH)
        turn.send(extra)
        sent.set()
        return True

    with ScriptedVendor(twice, answer()) as vendor, client(vendor.url) as made:
        first = made.verify(NAME, NUMBER, appcode=APPCODE)
        sent.wait(5)
        second = made.verify(NAME, NUMBER, appcode=APPCODE)
    assert [first.outcome, second.outcome] == [Outcome.MATCH, Outcome.MATCH]


def test_after_an_answer_that_was_cut_short_the_connection_is_not_used_again() -> None:
    late = trickle(http(200, {}, body("0008")), every=0.01)
    with ScriptedVendor(late, answer()) as vendor, client(vendor.url, deadline=0.2) as made:
        assert is_unknown(made.verify(NAME, NUMBER, appcode=APPCODE))
        assert made.verify(NAME, NUMBER, appcode=APPCODE).outcome is Outcome.MATCH
    assert vendor.connections == 2


def test_sixteen_threads_each_get_their_own_answer() -> None:
    def echo(turn: Turn) -> bool:
        name = parse_qs(turn.request.body.decode())["name"][0]
        turn.send(http(200, {}, body("0000", province=name)))
        return True

    names = [f"某{chr(0x4E00 + index)}" for index in range(160)]
    with (
        ScriptedVendor(echo) as vendor,
        client(vendor.url, deadline=60) as made,
        ThreadPoolExecutor(16) as threads,
    ):
        replies = list(threads.map(lambda name: made.verify(name, NUMBER, appcode=APPCODE), names))
    assert [reply.derived and reply.derived.province for reply in replies] == names
    assert vendor.connections <= 16


def test_cookies_are_neither_kept_nor_sent() -> None:
    sent = http(200, {"Set-Cookie": "acw_tc=1; Path=/"}, body("0000"))
    with ScriptedVendor(answer(sent)) as vendor, client(vendor.url) as made:
        for _ in range(2):
            made.verify(NAME, NUMBER, appcode=APPCODE)
    assert all("cookie" not in request.headers for request in vendor.received)


# The way out


def test_a_proxy_carries_https_in_a_tunnel_and_sees_neither_person_nor_appcode(identity: Identity) -> None:
    with ScriptedVendor(tunnel=identity.server) as proxy:
        reply = ask(
            f"https://{HOST}:4433",
            proxy_url=f"http://user:secret@127.0.0.1:{proxy.port}",
            ca_bundle=str(identity.bundle),
        )
    connect, request = proxy.received
    assert reply.outcome is Outcome.MATCH
    assert connect.line.startswith(f"CONNECT {HOST}:4433 ")
    assert connect.headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert APPCODE not in connect.head.decode()
    assert "proxy-authorization" not in request.headers
    assert request.headers["authorization"] == f"APPCODE {APPCODE}"


@pytest.mark.parametrize("refusal", [http(407, {}), http(502, {}), b"nonsense\r\n\r\n"])
def test_a_proxy_that_refuses_is_the_networks(refusal: bytes) -> None:
    with ScriptedVendor(part(refusal)) as proxy:
        reply = ask(f"https://{HOST}", proxy_url=f"http://127.0.0.1:{proxy.port}")
    assert is_network(reply)
    assert all(request.line.startswith("CONNECT") for request in proxy.received)


def test_the_deadline_holds_against_a_proxy_that_trickles() -> None:
    with ScriptedVendor(trickle(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90)) as proxy:
        reply = ask(f"https://{HOST}", proxy_url=f"http://127.0.0.1:{proxy.port}", deadline=0.3)
    assert is_network(reply)
    assert reply.latency_ms < 700


def test_a_vendor_on_this_machine_is_never_reached_through_a_proxy() -> None:
    with ScriptedVendor() as proxy, ScriptedVendor() as vendor:
        reply = ask(vendor.url, proxy_url=proxy.url)
    assert (reply.outcome, proxy.connections) == (Outcome.MATCH, 0)


def test_the_environment_decides_nothing(
    identity: Identity, closed_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = f"http://127.0.0.1:{closed_port}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(identity.bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(identity.bundle))
    with ScriptedVendor() as plain:
        assert ask(plain.url).outcome is Outcome.MATCH
    assert plain.received[0].headers["authorization"] == f"APPCODE {APPCODE}"
    with ScriptedVendor(tls=identity.server) as vendor:
        assert ask(vendor.url, ca_bundle=str(identity.bundle)).outcome is Outcome.MATCH
        assert is_network(ask(vendor.url))


@pytest.mark.parametrize("host", ["*.test", "a..test", "x" * 64 + ".test", "张" * 64])
def test_a_host_that_cannot_be_one_is_refused_at_once_or_is_the_networks(host: str) -> None:
    try:
        made = VendorClient(Route(f"https://{host}", connect_timeout=0.5), sleep=lambda _: None)
    except ValueError:
        return
    assert is_network(made.verify(NAME, NUMBER, appcode=APPCODE))


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_ca_bundle_that_cannot_be_read_is_said_at_once(what: str, tmp_path: Path) -> None:
    if what == "empty":
        (tmp_path / what).touch()
    with pytest.raises(ValueError, match="CA bundle"):
        VendorClient(Route("https://vendor.test", ca_bundle=str(tmp_path / what)))


# Whatever comes


def test_an_answer_that_mixes_body_and_headers_leaves_no_person_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    broken = b"HTTP/1.1 200 OK\r\n" + body("0000") + b"\r\nContent-Length: 0\r\n\r\n"
    with ScriptedVendor(part(broken)) as vendor:
        ask(vendor.url)
    assert caplog.records
    assert NUMBER not in caplog.text
    assert "张三" not in caplog.text
    assert APPCODE not in caplog.text


lines = st.one_of(
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 403 No", b"HTTP/1.1 504 X", b"HTTP/1.0 302 F", b""]),
    st.sampled_from([b"X-Ca-Error-Code: B403MQ", b"X-Ca-Error-Message: Quota Exhausted", b"Content-Length: 9"]),
    st.sampled_from([b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Location: http://["]),
    st.sampled_from([b"Set-Cookie: a=b; expires=\xff", b"Content-Type: \xff; charset", b"Connection: close"]),
    st.binary(max_size=30),
)


@given(st.lists(lines, max_size=8), st.one_of(st.just(body("0000")), st.binary(max_size=40)), st.booleans())
@settings(max_examples=80, deadline=None)
def test_whatever_bytes_come_back_are_a_reply(head: list[bytes], content: bytes, opened: bool) -> None:
    start = b"HTTP/1.1 200 OK\r\n" if opened else b""
    with ScriptedVendor(part(start + b"\r\n".join([*head, b"", content]))) as vendor:
        reply = ask(vendor.url, chance=random.Random(0).random)
    assert reply.billed is Billed.NO or reply.retry is Retry.NEVER
    assert len(vendor.received) == reply.attempts


# The route


@pytest.mark.parametrize(
    "url",
    [
        "http://idenauthen.market.alicloudapi.com",
        "http://127.0.0.1.vendor.test",
        "http://192.168.1.2:8080",
        "http://0.0.0.0:8080",
        "ftp://127.0.0.1",
        "https://",
        "https://user:secret@vendor.test",
        "https://vendor.test/?AppCode=secret",
        "https://vendor.test/#x",
        "https://vendor.test:port",
        "https://vendor.test\r\nX: y",
        "https://[::1",
        "",
    ],
)
def test_a_route_that_is_unsafe_or_no_route_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="vendor URL") as refusal:
        Route(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1"])
def test_plain_http_goes_to_this_machine(url: str) -> None:
    assert Route(url).endpoint == f"{url}/idenAuthentication"


@pytest.mark.parametrize("url", ["https://v.test", "https://v.test/", "https://v.test/idenAuthentication"])
def test_the_path_is_added_once(url: str) -> None:
    assert Route(url).endpoint == "https://v.test/idenAuthentication"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "deadline"])
def test_a_time_that_is_none_is_refused(name: str, seconds: float) -> None:
    times: dict[str, Any] = {name: seconds}
    with pytest.raises(ValueError, match=name):
        Route("https://vendor.test", **times)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "127.0.0.1:3128", "http://u:secret@:80"])
def test_a_proxy_that_is_none_is_refused_without_quoting_its_password(proxy: str) -> None:
    with pytest.raises(ValueError, match="proxy URL") as refusal:
        Route("https://vendor.test", proxy_url=proxy)
    assert "secret" not in str(refusal.value)


def test_a_printed_route_hides_the_proxys_password() -> None:
    assert "secret" not in repr(Route("https://vendor.test", proxy_url="http://u:secret@127.0.0.1:1"))
