"""What a network and a vendor can break, before and after a call that costs money was sent."""

import socket
import threading
from typing import Any

import pytest

from tests.vendor.asking import Time, ask, is_network, is_unknown
from tests.vendor.certificates import Identity
from tests.vendor.scripted import MATCH, ScriptedVendor, answer, half_close, http, part, reset, silence, trickle
from tests.vendor.table import body
from webapp.vendor.contract import Billed, Cause, Outcome


def test_a_refused_connection_is_the_networks_and_is_tried_again(closed_port: int) -> None:
    reply = ask(f"http://127.0.0.1:{closed_port}")
    assert is_network(reply)
    assert (reply.attempts, reply.http_status, reply.stop) == (4, None, None)


def test_a_name_that_does_not_resolve_is_the_networks() -> None:
    def resolver(host: str, port: int) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert is_network(ask("https://vendor.test", resolver=resolver))


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    released, ended = threading.Event(), threading.Event()

    def resolver(host: str, port: int) -> list[Any]:
        released.wait(60)
        ended.set()
        raise socket.gaierror(socket.EAI_AGAIN, "late")

    reply = ask("https://vendor.test", resolver=resolver, connect_timeout=0.05, deadline=1)
    assert not ended.is_set()
    released.set()
    assert is_network(reply)


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
    assert (vendor.received, reply.attempts) == ([], 4)


def test_the_deadline_holds_against_a_handshake_that_never_comes(identity: Identity) -> None:
    with ScriptedVendor(tls=identity.server, handshake=False) as vendor:
        reply = ask(vendor.url, ca_bundle=str(identity.bundle), connect_timeout=9, deadline=0.3)
    assert is_network(reply)
    assert reply.latency_ms < 700


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


def test_what_came_before_it_broke_off_is_kept() -> None:
    with ScriptedVendor(half_close(MATCH[:-1])) as vendor:
        reply = ask(vendor.url, read_timeout=0.1)
    assert is_unknown(reply)
    assert (reply.raw, reply.http_status) == (body("0000")[:-1], 200)


def test_a_slow_answer_within_the_deadline_counts() -> None:
    with ScriptedVendor(trickle(MATCH, every=0.0005)) as vendor:
        assert ask(vendor.url, read_timeout=5).outcome is Outcome.MATCH


def test_a_refusal_counts_though_its_body_never_ends() -> None:
    refusal = http(403, {"X-Ca-Error-Code": "B403MQ", "Content-Length": "100"}, b"some")
    with ScriptedVendor(trickle(refusal + b" " * 96, len(refusal))) as vendor:
        reply = ask(vendor.url, deadline=0.3)
    assert (reply.cause, reply.billed) == (Cause.QUOTA_EXHAUSTED, Billed.NO)
