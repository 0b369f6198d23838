"""Late, broken and missing answers, as a socket sees them; and stopping in the middle of them."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.vendor.sandbox_talk import (
    ANYBODY,
    IMPATIENT,
    PATIENT,
    ask,
    form,
    open_socket,
    read_to_end,
    request_bytes,
    verify,
)
from webapp.vendor.sandbox.scenarios import BY_NAME, SCENARIOS, Manner, Scenario
from webapp.vendor.sandbox.server import Sandbox

FOREVER = 600_000
"""The longest pause the sandbox takes, in milliseconds."""
LATE_OR_BROKEN = [s for s in SCENARIOS if s.manner not in (Manner.PLAIN, Manner.CHUNKED)]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(slow_ms=FOREVER, trickle_ms=FOREVER) as running:
        yield running


@pytest.fixture
def talk(sandbox: Sandbox) -> Iterator[Callable[[str], socket.socket]]:
    """Asks about a name and hands over the socket."""
    opened: list[socket.socket] = []

    def ask_about(name: str) -> socket.socket:
        opened.append(open_socket(sandbox, request_bytes(name)))
        return opened[-1]

    yield ask_about
    for connection in opened:
        connection.close()


Talk = Callable[[str], socket.socket]


def until(true: Callable[[], object]) -> None:
    """Waits for a condition; fails after PATIENT seconds."""
    waiting = threading.Event()
    for _ in range(int(PATIENT / 0.005)):
        if true():
            return
        waiting.wait(0.005)
    pytest.fail("it did not come true")


def nothing_more(connection: socket.socket) -> bool:
    connection.settimeout(IMPATIENT)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    return False


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("scenario", LATE_OR_BROKEN, ids=lambda scenario: scenario.name)
def test_no_answer_is_had_and_the_vendor_charges_what_the_table_says(sandbox: Sandbox, scenario: Scenario) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        verify(sandbox, scenario.name, timeout=IMPATIENT)
    counts = sandbox.counts()
    assert (counts.received, counts.charged, counts.answered) == (1, int(scenario.charged), 0)


def test_a_slow_answer_comes_whole(sandbox: Sandbox) -> None:
    sandbox.change(slow_ms=1)
    assert verify(sandbox, "演练迟缓答复").code == "0000"
    assert sandbox.counts().answered == 1


def test_slow_is_three_seconds_and_a_trickle_a_byte_a_second_unless_set() -> None:
    settings = Sandbox().state.settings
    assert (settings.slow_ms, settings.trickle_ms) == (3000, 1000)


@pytest.mark.parametrize("name", ["演练逐字节头部", "演练逐字节正文"])
def test_a_trickle_ends_in_a_whole_answer_for_whoever_waits(sandbox: Sandbox, name: str) -> None:
    sandbox.change(trickle_ms=0)
    assert verify(sandbox, name).code == "0000"
    assert sandbox.counts().answered == 1


def test_trickled_headers_come_byte_by_byte(talk: Talk) -> None:
    connection = talk("演练逐字节头部")
    assert connection.recv(65_536) == b"H"
    assert nothing_more(connection)


def test_a_trickled_body_comes_byte_by_byte_after_its_headers(talk: Talk) -> None:
    connection = talk("演练逐字节正文")
    heard = connection.recv(65_536)
    while not body_of(heard):
        heard += connection.recv(65_536)
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body_of(heard) == b"{"
    assert nothing_more(connection)


@pytest.mark.parametrize("name", ["演练正文中断", "演练半关闭"])
def test_an_answer_breaks_off_in_the_middle_of_its_body(talk: Talk, name: str) -> None:
    heard = read_to_end(talk(name))
    length = int(heard.partition(b"Content-Length: ")[2].split()[0])
    assert 0 < len(body_of(heard)) < length


def test_a_half_closed_connection_still_listens(sandbox: Sandbox, talk: Talk) -> None:
    connection = talk("演练半关闭")
    read_to_end(connection)
    connection.sendall(b"still there?")
    connection.sendall(b"no reset came")
    assert connection.recv(1) == b""


def test_a_reset_is_a_reset(talk: Talk) -> None:
    for name in ("演练连接重置", "演练重置已计次"):
        with pytest.raises(ConnectionResetError):
            talk(name).recv(1)


def test_a_close_is_a_goodbye_without_a_word(talk: Talk) -> None:
    assert talk("演练连接关闭").recv(1) == b""


def test_garbage_is_no_http(talk: Talk) -> None:
    assert not read_to_end(talk("演练不是协议")).startswith(b"HTTP/")


def test_a_header_can_be_longer_than_anybody_reads(talk: Talk) -> None:
    assert len(max(read_to_end(talk("演练超长头部")).split(b"\r\n"), key=len)) > 131_072


def test_a_call_can_be_charged_though_its_client_heard_nothing(sandbox: Sandbox, talk: Talk) -> None:
    connection = talk("演练超时已计次")
    until(lambda: sandbox.counts().charged == 1)
    assert nothing_more(connection)
    assert sandbox.calls("演练超时已计次", ANYBODY).charged == 1


def test_latency_delays_every_answer_but_not_the_charge(sandbox: Sandbox, talk: Talk) -> None:
    sandbox.change(latency_ms=FOREVER)
    connection = talk("陈小满")
    until(lambda: sandbox.counts().charged == 1)
    assert nothing_more(connection)
    assert sandbox.counts().answered == 0


def test_who_hangs_up_frees_the_thread_that_never_answers(sandbox: Sandbox) -> None:
    def serving() -> list[str]:
        return [t.name for t in threading.enumerate() if "process_request_thread" in t.name]

    before = len(serving())
    connection = open_socket(sandbox, request_bytes("演练无答复"))
    until(lambda: sandbox.counts().received == 1)
    assert len(serving()) == before + 1
    connection.close()
    until(lambda: len(serving()) == before)


def test_others_are_served_while_one_hangs(sandbox: Sandbox, talk: Talk) -> None:
    talk("演练无答复")
    until(lambda: sandbox.counts().received == 1)
    assert verify(sandbox, "陈小满").code == "0000"


@pytest.mark.parametrize("name", ["演练无答复", "演练迟缓答复", "演练逐字节头部", "演练逐字节正文", "演练半关闭"])
def test_stopping_cuts_what_hangs_and_frees_the_port(name: str) -> None:
    sandbox = Sandbox(slow_ms=FOREVER, trickle_ms=FOREVER).start()
    connection = open_socket(sandbox, request_bytes(name))
    until(lambda: sandbox.counts().received == 1)
    port = int(sandbox.url.rpartition(":")[2])
    stopping = threading.Thread(target=sandbox.stop)
    stopping.start()
    stopping.join(PATIENT)
    assert not stopping.is_alive()
    read_to_end(connection)
    connection.close()
    with Sandbox(port=port) as again:
        assert verify(again, "陈小满").code == "0000"


def test_it_may_be_stopped_at_any_time_and_started_again() -> None:
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="start it first"):
        _ = sandbox.url
    sandbox.stop()
    sandbox.listen()
    sandbox.stop()
    for _ in range(2):
        with sandbox:
            assert verify(sandbox, "陈小满").code == "0000"
    sandbox.stop()
    assert sandbox.counts().charged == 2


def test_a_process_that_does_not_serve_can_let_go_of_the_port() -> None:
    sandbox = Sandbox()
    sandbox.listen()
    port = int(sandbox.url.rpartition(":")[2])
    sandbox.close_listener()
    with Sandbox(port=port) as other:
        assert other.url.endswith(f":{port}")


def test_a_reset_of_the_books_leaves_stragglers_in_the_old_run(sandbox: Sandbox) -> None:
    sandbox.change(latency_ms=50)
    straggler = open_socket(sandbox, request_bytes("陈小满"))
    until(lambda: sandbox.counts().received == 1)
    sandbox.reset()
    assert b"0000" in straggler.recv(65_536)
    counts = sandbox.counts()
    assert (counts.run, counts.received, counts.answered, counts.charged) == (2, 0, 0, 0)
    straggler.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 hello\r\n\r\n",
        b"POST /idenAuthentication HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /idenAuthentication HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /idenAuthentication HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST /idenAuthentication HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /idenAuthentication HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["tls", "negative", "no-number", "endless-number", "chunked", "long-header", "long-address"],
)
def test_what_is_no_proper_request_is_refused_and_hung_up_on(sandbox: Sandbox, sent: bytes) -> None:
    connection = open_socket(sandbox, sent)
    heard = b""
    with contextlib.suppress(ConnectionResetError):  # the rest of what was sent is not read
        heard = connection.recv(65_536)
    connection.close()
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b"X-Ca-Error-Code: I400HD" in heard
    assert sandbox.counts().charged == 0


def test_a_client_that_leaves_in_the_middle_of_its_body_asked_nothing(sandbox: Sandbox) -> None:
    connection = open_socket(sandbox, request_bytes("陈小满")[:-5])
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(1) == b""
    connection.close()
    assert sandbox.counts().received == 0


def test_a_head_request_gets_no_body(sandbox: Sandbox) -> None:
    assert ask(sandbox, "HEAD", "/").body == b""
    connection = open_socket(sandbox, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert body_of(read_to_end(connection)) == b""
    connection.close()


def test_a_client_that_waits_for_permission_gets_it(sandbox: Sandbox) -> None:
    head, _, body = request_bytes("陈小满").partition(b"\r\n\r\n")
    connection = open_socket(sandbox, head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(body)
    assert b'"respCode":"0000"' in connection.recv(65_536)
    connection.close()


def test_a_body_far_too_large_is_refused_not_read(sandbox: Sandbox) -> None:
    heard = ask(sandbox, "POST", "/idenAuthentication", form("x" * 2_000_000))
    assert heard.headers["X-Ca-Error-Code"] == "A401AC"
    assert heard.headers["Connection"] == "close"


def test_every_manner_is_somebodys() -> None:
    assert {scenario.manner for scenario in BY_NAME.values()} == set(Manner)
