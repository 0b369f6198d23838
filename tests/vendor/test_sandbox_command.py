"""`yuliang sandbox` as a process: says where it listens, stops at once, names what is wrong."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.vendor.sandbox_talk import PATIENT, read_to_end, request_bytes
from webapp.vendor.sandbox.command import configure, main, run
from webapp.vendor.sandbox.people import PEOPLE
from webapp.vendor.sandbox.scenarios import SCENARIOS


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "webapp.vendor.sandbox.command", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        yield started
        started.kill()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_a_process_says_where_it_listens_and_stops_at_once_in_the_middle_of_a_hanging_call(
    process: subprocess.Popen[str],
) -> None:
    assert process.stdout
    said = process.stdout.readline()
    address = re.fullmatch(r"Sandbox vendor listening on http://127\.0\.0\.1:([0-9]+)\n", said)
    assert address
    with socket.create_connection(("127.0.0.1", int(address[1])), timeout=PATIENT) as hanging:
        hanging.sendall(request_bytes("演练分块答复") + request_bytes("演练无答复"))
        assert hanging.recv(1) == b"H"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENT) == 0
        read_to_end(hanging)
    assert process.communicate() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_stop_and_its_handler_is_put_back(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    heard: list[bytes] = []
    callers: list[threading.Thread] = []

    def call_then_signal(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENT) as hanging:
            hanging.sendall(request_bytes("演练分块答复") + request_bytes("演练无答复"))
            heard.append(hanging.recv(1))
            os.kill(os.getpid(), number)
            heard.append(read_to_end(hanging)[-1:])

    def announce(url: str) -> None:
        callers.append(threading.Thread(target=call_then_signal, args=(int(url.rpartition(":")[2]),)))
        callers[0].start()

    parser = argparse.ArgumentParser()
    configure(parser)
    assert run(parser.parse_args(["--port", "0"]), announce) == 0
    callers[0].join(PATIENT)
    assert heard == [b"H", b"\n"]
    assert signal.getsignal(number) is before
    assert capsys.readouterr() == ("", "")


def test_a_taken_port_is_one_line_that_says_what_to_do(taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", str(taken)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"yuliang sandbox: port {taken} on 127.0.0.1 is taken: stop the other program or choose another with --port\n"
    )


def test_an_address_of_another_machine_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", "192.0.2.1", "--port", "0"]) == 1
    assert re.fullmatch(r"yuliang sandbox: cannot listen on 192\.0\.2\.1: .*--host.*\n", capsys.readouterr().err)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_people_and_situations_are_printed(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--people", "--scenarios", "--lang", language]) == 0
    people, _, scenarios = capsys.readouterr().out.partition("\n\n")
    for person in PEOPLE:
        assert f"\n{person.name}\t{person.number}\t" in people
    for scenario in SCENARIOS:
        assert f"\n{scenario.name}\t{getattr(scenario, language)}\t" in scenarios


@pytest.mark.parametrize(
    "arguments",
    [["--port", "65536"], ["--port", "-1"], ["--quota", "many"], ["--latency", "600001"], ["--lang", "fr"]],
)
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert arguments[0] in capsys.readouterr().err
