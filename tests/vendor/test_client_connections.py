"""Which connection a call takes: pooled, through a proxy, never by the environment's word."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.vendor.asking import APPCODE, NAME, NUMBER, Time, ask, client, is_network, is_unknown
from tests.vendor.certificates import HOST, Identity
from tests.vendor.scripted import MATCH, ScriptedVendor, Turn, answer, http, part, trickle
from tests.vendor.table import body
from webapp.vendor.client import VendorClient
from webapp.vendor.contract import Outcome
from webapp.vendor.route import Route

THROTTLED = http(429, {"X-Ca-Error-Code": "T429PA"})


def test_connections_are_used_again() -> None:
    with ScriptedVendor() as vendor, client(vendor.url) as made:
        replies = [made.verify(NAME, NUMBER, appcode=APPCODE) for _ in range(5)]
    assert {reply.outcome for reply in replies} == {Outcome.MATCH}
    assert vendor.connections == 1


def test_connections_over_tls_are_used_again(identity: Identity) -> None:
    with (
        ScriptedVendor(tls=identity.server) as vendor,
        client(vendor.url, ca_bundle=str(identity.bundle)) as made,
    ):
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


def test_a_proxy_spoken_to_over_tls_must_be_vouched_for(identity: Identity) -> None:
    with ScriptedVendor(part(http(502, {})), tls=identity.server) as proxy:
        assert is_network(ask(f"https://{HOST}", proxy_url=proxy.url))
        assert proxy.received == []
        assert is_network(ask(f"https://{HOST}", proxy_url=proxy.url, ca_bundle=str(identity.bundle)))
        assert proxy.received[0].line.startswith(f"CONNECT {HOST}:443 ")


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
