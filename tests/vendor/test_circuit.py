"""The circuit: who stops all calls, for how long, and what lets them go on. On both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from tests.support.cast import NOW
from tests.support.waiting import together
from webapp.foundation.database import db, transaction
from webapp.vendor import circuit
from webapp.vendor.circuit import CallsStopped, Stopped, Turn, Waiting
from webapp.vendor.contract import (
    FOR_90_SECONDS,
    MAINTENANCE_STOP,
    UNTIL_SOMEONE_ACTS,
    Billed,
    Cause,
    Outcome,
    Reply,
    Stop,
)

MATCH = Reply(Outcome.MATCH, Billed.YES)
TIMED_OUT = Reply(Outcome.UNKNOWN, Billed.UNKNOWN, Cause.VENDOR_TIMEOUT)
MAINTENANCE = Reply(Outcome.MAINTENANCE, Billed.YES, stop=MAINTENANCE_STOP)
BREAKER = Reply(Outcome.REFUSED, Billed.NO, Cause.VENDOR_UNAVAILABLE, stop=FOR_90_SECONDS)
USED_UP = Reply(Outcome.REFUSED, Billed.NO, Cause.QUOTA_EXHAUSTED, stop=UNTIL_SOMEONE_ACTS)
LEASE = timedelta(seconds=50)
pytestmark = pytest.mark.usefixtures("context")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def heed(reply: Reply, call: int, now: datetime = NOW) -> Turn | None:
    with transaction():
        return circuit.heed(reply, call, now)


def pass_(call: int, now: datetime) -> bool:
    """Whether this call passes as the probe; False: as any call. Raises `CallsStopped`."""
    with transaction():
        if not circuit.gate(now):
            return False
        circuit.take(call, now, now + LEASE)
        return True


def ask() -> str:
    with transaction():
        return circuit.ask_for_probe()


def present(now: datetime) -> Stopped | None:
    db.session.rollback()
    return circuit.present(now)


def test_calls_go_through_while_nothing_stops_them() -> None:
    assert present(NOW) is None
    assert pass_(1, NOW) is False
    assert heed(MATCH, 1) is None


@pytest.mark.parametrize(
    ("reply", "cause", "until"),
    [
        (MAINTENANCE, "maintenance", after(60)),
        (BREAKER, "vendor_unavailable", after(90)),
        (USED_UP, "quota_exhausted", None),
    ],
)
def test_an_answer_that_says_stop_stops_everybody(reply: Reply, cause: str, until: datetime | None) -> None:
    assert heed(reply, 1) is Turn.OPENED

    waiting = Waiting.TIME if until else Waiting.ADMIN
    assert present(after(1)) == Stopped(cause, waiting, until)
    with pytest.raises(CallsStopped) as stopped:
        pass_(2, after(1))
    assert stopped.value.stopped == Stopped(cause, waiting, until)


def test_when_the_time_is_over_one_submission_is_the_probe_and_all_others_wait_for_its_answer() -> None:
    heed(BREAKER, 1)

    assert present(after(90)) == Stopped("vendor_unavailable", Waiting.SUBMISSION)
    assert pass_(2, after(90)) is True
    with pytest.raises(CallsStopped) as stopped:
        pass_(3, after(91))
    assert stopped.value.stopped == Stopped("vendor_unavailable", Waiting.ANSWER, after(90) + LEASE)


@pytest.mark.parametrize("outcome", [Outcome.MATCH, Outcome.MISMATCH, Outcome.NO_SUCH_NUMBER, Outcome.INVALID_INPUT])
def test_a_conclusive_answer_to_the_probe_lets_everybody_call(outcome: Outcome) -> None:
    heed(BREAKER, 1)
    pass_(2, after(90))

    assert heed(Reply(outcome, Billed.YES), 2, after(91)) is Turn.CLOSED

    assert present(after(91)) is None
    assert pass_(3, after(91)) is False


def test_maintenance_doubles_from_a_minute_to_ten_while_it_lasts() -> None:
    now, pauses = NOW, []
    heed(MAINTENANCE, 1, now)
    for call in range(2, 8):
        stopped = present(now)
        assert stopped is not None
        assert stopped.until is not None
        pauses.append((stopped.until - now).total_seconds())
        now = stopped.until
        pass_(call, now)
        heed(MAINTENANCE, call, now)

    assert pauses == [60, 120, 240, 480, 600, 600]


def test_the_breakers_ninety_seconds_stay_ninety() -> None:
    heed(BREAKER, 1)
    pass_(2, after(90))

    assert heed(BREAKER, 2, after(90)) is None, "the stop goes on: nobody needs to be told anew"

    assert present(after(91)) == Stopped("vendor_unavailable", Waiting.TIME, after(180))


def test_another_cause_starts_its_own_count_and_is_told() -> None:
    heed(MAINTENANCE, 1)
    pass_(2, after(60))
    heed(MAINTENANCE, 2, after(60))
    pass_(3, after(180))

    assert heed(USED_UP, 3, after(180)) is Turn.OPENED

    assert present(after(181)) == Stopped("quota_exhausted", Waiting.ADMIN)


def test_what_needs_an_admin_waits_for_ever_and_goes_on_when_asked() -> None:
    heed(USED_UP, 1)
    with pytest.raises(CallsStopped):
        pass_(2, NOW + timedelta(days=30))

    assert ask() == "quota_exhausted"

    assert present(after(1)) == Stopped("quota_exhausted", Waiting.SUBMISSION)
    assert pass_(2, after(1)) is True


def test_a_refused_probe_needs_asking_again() -> None:
    heed(USED_UP, 1)
    ask()
    pass_(2, after(1))

    heed(USED_UP, 2, after(2))

    with pytest.raises(CallsStopped):
        pass_(3, after(3))


def test_an_admin_may_ask_before_the_time_is_over() -> None:
    heed(MAINTENANCE, 1)

    ask()

    assert pass_(2, after(1)) is True


def test_asking_while_calls_go_through_does_nothing() -> None:
    assert ask() == ""
    assert pass_(1, NOW) is False


def test_a_renewal_tries_what_waits_for_someone_but_not_the_vendors_maintenance() -> None:
    heed(MAINTENANCE, 1)
    with transaction():
        circuit.renewed()
    with pytest.raises(CallsStopped):
        pass_(2, after(1))

    pass_(2, after(60))
    heed(USED_UP, 2, after(60))
    with transaction():
        circuit.renewed()

    assert pass_(3, after(61)) is True


def test_a_probe_whose_process_died_is_followed_by_another() -> None:
    heed(USED_UP, 1)
    ask()
    pass_(2, NOW)

    assert pass_(3, NOW + LEASE) is True


def test_a_probe_that_said_nothing_of_the_cause_is_followed_by_another() -> None:
    heed(USED_UP, 1)
    ask()
    pass_(2, NOW)

    assert heed(TIMED_OUT, 2, after(1)) is None

    assert pass_(3, after(2)) is True


def test_answers_that_were_under_way_when_the_stop_began_neither_end_nor_prolong_it() -> None:
    heed(MAINTENANCE, 1)

    assert heed(MATCH, 2, after(1)) is None
    assert heed(MAINTENANCE, 3, after(2)) is None
    assert heed(USED_UP, 4, after(3)) is None

    assert present(after(4)) == Stopped("maintenance", Waiting.TIME, after(60))


def test_the_late_answer_of_a_forgotten_probe_does_not_speak_for_the_one_under_way() -> None:
    heed(USED_UP, 1)
    ask()
    pass_(2, NOW)
    pass_(3, NOW + LEASE)

    assert heed(MATCH, 2, NOW + LEASE) is None
    assert heed(TIMED_OUT, 2, NOW + LEASE) is None

    with pytest.raises(CallsStopped):
        pass_(4, NOW + LEASE)


def test_of_many_submissions_at_once_one_is_the_probe(context: Flask) -> None:
    heed(BREAKER, 1)
    passed: list[int] = []

    def one(call: int) -> None:
        with context.app_context():
            try:
                if pass_(call, after(90)):
                    passed.append(call)
            except CallsStopped:
                pass
            finally:
                db.session.remove()

    together(*(lambda call=call: one(call) for call in range(2, 18)))

    assert len(passed) == 1


def test_between_the_look_and_the_step_another_probe_may_have_been_refused() -> None:
    heed(USED_UP, 1)
    ask()
    with transaction():
        assert circuit.gate(NOW)
    pass_(2, NOW)
    heed(USED_UP, 2, NOW)

    with pytest.raises(CallsStopped), transaction():
        circuit.take(3, NOW, NOW + LEASE)


@pytest.mark.parametrize(
    ("stop", "probes", "seconds"),
    [(MAINTENANCE_STOP, 0, 60), (MAINTENANCE_STOP, 10_000, 600), (FOR_90_SECONDS, 5, 90), (UNTIL_SOMEONE_ACTS, 3, 0)],
)
def test_a_pause_is_bounded(stop: Stop, probes: int, seconds: int) -> None:
    assert circuit.pause(stop, probes) == seconds
