"""What takes too long is cut, by one thread for all, and nothing else is."""

from __future__ import annotations

import threading

import pytest

from tests.support.waiting import until
from webapp.notify.channels import deadlines
from webapp.notify.channels.deadlines import Deadlines


def test_what_takes_longer_is_called_once_even_while_longer_ones_are_watched() -> None:
    watched, cut = Deadlines(), threading.Event()
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        cut.set()

    with watched.then(60, lambda: calls.append(2)), watched.then(0.05, call):
        assert cut.wait(30)

    assert calls == [1]


def test_what_is_done_in_time_is_left_alone() -> None:
    watched, cut = Deadlines(), threading.Event()
    calls: list[int] = []
    with watched.then(0.05, lambda: calls.append(1)):
        pass

    with watched.then(0.1, cut.set):
        assert cut.wait(30)

    assert calls == []


def test_one_thread_serves_many_and_ends_when_there_is_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "IDLE_SECONDS", 0.05)
    before = _threads()
    watched = Deadlines()
    for _each in range(200):
        with watched.then(0.2, lambda: None):
            assert _threads() - before <= 1

    until(lambda: _threads() <= before, "the thread ends")
    with watched.then(60, lambda: None):
        assert _threads() == before + 1


def _threads() -> int:
    return sum(thread.name == "deadlines" for thread in threading.enumerate())
