"""Asking the vendor's counter: by the button, by the command, by the job; hourly at most; every failure kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
import time_machine
from flask import Flask

from tests.reconciliation.counting import BOSS, call, enter, failures, notices, read, readings, records, standing
from tests.support.cast import ADMIN, NOW, Desk, Member
from tests.support.waiting import together
from tests.verification.calls import ask, buy, differences
from webapp.audit.trail import Action
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import be, this_instance
from webapp.reconciliation import operations
from webapp.reconciliation.models import MeterFailure, MeterReading, ReadingSource
from webapp.reconciliation.operations import WENT_BACK, NotAsked
from webapp.reconciliation.rules import Verdict
from webapp.reconciliation.texts import FAULTS
from webapp.scheduler import JOBS, run_job
from webapp.vendor.metering import Meter
from webapp.vendor.metering_answer import Fault
from webapp.vendor.sandbox.meter import KEY
from webapp.vendor.sandbox.meter_scenarios import MeterScenario
from webapp.vendor.sandbox.server import Sandbox

Open = Callable[[Member | None], Desk]

MakeApp = Callable[..., Flask]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PEOPLE = [("陈小满", "100101199003080023"), ("林知远", "100101198512240115"), ("周乐", "10010219780615007X")]
[JOB] = [job for job in JOBS if job.name == "read the vendor's counter"]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def live(make_app: MakeApp, sandbox: Sandbox, **more: str) -> Flask:
    """An app that reaches the sandbox's counter by settings, as it would reach the real one: hourly at most."""
    given = {"METERING_URL": sandbox.metering_url, "ACCESS_KEY_ID": KEY.id, "ACCESS_KEY_SECRET": KEY.secret}
    return make_app(**given | more)


def test_in_a_sandbox_instance_nothing_needs_to_be_set(app: Flask, sandbox: Sandbox) -> None:
    buy(app, 100)
    assert isinstance(read(app), MeterReading)
    for person in PEOPLE:
        ask(app, person)

    found = read(app, by=BOSS)

    assert isinstance(found, MeterReading)
    assert (found.source, found.used, found.actor_id) == (ReadingSource.METERING, 3, ADMIN.id)
    assert found.request_id
    assert standing(app).comparison.verdict is Verdict.AGREED
    assert differences(app) == []


def test_calls_made_elsewhere_are_told_as_calls_this_product_did_not_make(app: Flask, sandbox: Sandbox) -> None:
    read(app)
    ask(app, PEOPLE[0])
    sandbox.change(elsewhere=17)
    read(app)

    assert (standing(app).comparison.verdict, standing(app).comparison.drift) == (Verdict.MORE, 17)


def test_a_call_the_vendor_charged_and_never_answered_explains_the_reading(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = make_app(VENDOR_READ_TIMEOUT="0.3")
    read(app)
    for n in range(2):
        ask(app, ("演练重置已计次", PEOPLE[n][1]))
    read(app)

    found = standing(app)
    assert (found.comparison.verdict, found.offered) == (Verdict.OPEN, "charged")


def test_a_counter_that_lags_is_fewer_and_mends_itself(app: Flask, sandbox: Sandbox) -> None:
    read(app)
    for person in PEOPLE:
        ask(app, person)
    sandbox.change(meter_lag_calls=2)
    read(app)
    assert (standing(app).comparison.verdict, standing(app).comparison.drift) == (Verdict.FEWER, -2)

    sandbox.change(meter_lag_calls=0)
    read(app)
    assert standing(app).comparison.verdict is Verdict.AGREED


def test_drift_of_a_lagging_counter_is_a_notice_after_two_readings_and_ends_by_itself(
    app: Flask, sandbox: Sandbox
) -> None:
    read(app)
    for n in range(7):
        call(app, n)
    read(app)
    assert notices(app) == []
    read(app)
    assert notices(app) == [{"calls": 7, "more": 0}]
    sandbox.change(elsewhere=7)
    read(app)
    assert notices(app) == []


def test_a_sandbox_that_started_again_begins_anew(app: Flask, sandbox: Sandbox) -> None:
    ask(app, PEOPLE[0])
    read(app)
    sandbox.reset()

    assert isinstance(read(app), MeterReading)
    assert [reading.baseline_id for reading in readings(app)] == [None, None]


def test_a_sandbox_that_began_anew_replaces_no_baseline_that_a_person_set(app: Flask, sandbox: Sandbox) -> None:
    enter(app, 2415, 9115)

    for day in range(3):
        with time_machine.travel(utc_now() + timedelta(days=day)):
            found = read(app)
        assert isinstance(found, MeterFailure)
        assert found.fault == WENT_BACK
    assert [(one.used, one.total) for one in readings(app)] == [(2415, 9115)]
    assert notices(app) == []


def test_of_a_sandboxs_package_nobody_is_told_that_it_is_not_ours(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    buy(app, 100)
    for _reading in range(3):
        assert isinstance(read(app), MeterReading)

    assert notices(app) == []
    assert "more left than our lots" not in desk(ADMIN).get("/quota/reconcile", headers={"Accept-Language": "en"}).text


def test_a_vendor_is_asked_once_an_hour_whoever_asks(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = live(make_app, sandbox)
    now = utc_now()
    with time_machine.travel(now, tick=False) as clock:
        read(app)
        for hurry in (False, True):
            with pytest.raises(NotAsked) as raised:
                read(app, hurry=hurry)
            assert raised.value.again_at == now + HOUR
        clock.shift(59 * MINUTE)
        with pytest.raises(NotAsked):
            read(app)
        clock.shift(MINUTE)
        read(app)
    assert sandbox.counts().metered == 2


def test_failures_count_as_asking_too(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = live(make_app, sandbox)
    sandbox.change(meter_scenario=MeterScenario.INTERNAL_ERROR)
    read(app)

    with pytest.raises(NotAsked):
        read(app)
    assert sandbox.counts().metered == 1


def test_of_many_who_ask_at_once_one_does(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = live(make_app, sandbox)
    early: list[int] = []

    def one() -> None:
        try:
            read(app)
        except NotAsked:
            early.append(1)

    together(*[one] * 6)

    assert (len(early), sandbox.counts().metered, len(readings(app))) == (5, 1, 1)


def test_while_one_asks_a_sandbox_too_no_other_does(app: Flask, sandbox: Sandbox) -> None:
    sandbox.change(latency_ms=0)
    with app.app_context():
        instance, now = this_instance(), utc_now()

        class Asking:
            """A counter that is asked again in the middle of an answer."""

            is_sandbox = True

            def is_set(self) -> bool:
                return True

            def read(self, _now: object) -> Any:
                with app.app_context(), pytest.raises(NotAsked) as raised:
                    operations.ask(self, BOSS, instance, utc_now(), hurry=True)  # type: ignore[arg-type]
                assert raised.value.again_at is not None
                return app.extensions["meter"].read(utc_now())

        assert isinstance(operations.ask(Asking(), BOSS, instance, now, hurry=True), MeterReading)  # type: ignore[arg-type]


def test_a_turn_that_was_never_given_back_is_taken_over(app: Flask) -> None:
    with app.app_context():
        began = utc_now()
        with transaction():
            operations._take_turn(began, hurry=True)
        db.session.remove()

    with pytest.raises(NotAsked):
        read(app)
    with time_machine.travel(began + operations.TURN, tick=False):
        assert isinstance(read(app), MeterReading)


@on_one_database
@pytest.mark.parametrize(
    ("scenario", "fault"),
    [
        (MeterScenario.WRONG_INVARIANT, Fault.INVARIANT), (MeterScenario.ONLY_OTHERS, Fault.NOT_FOUND),
        (MeterScenario.THROTTLED, Fault.THROTTLED), (MeterScenario.FORBIDDEN, Fault.FORBIDDEN),
        (MeterScenario.INTERNAL_ERROR, Fault.VENDOR), (MeterScenario.NOT_JSON, Fault.NOT_JSON),
        (MeterScenario.NEGATIVE, Fault.NEGATIVE), (MeterScenario.ENDLESS_PAGES, Fault.PAGES),
    ],
)  # fmt: skip
def test_each_failure_is_stored_recorded_and_moves_nothing(
    app: Flask, sandbox: Sandbox, scenario: MeterScenario, fault: Fault
) -> None:
    read(app)
    sandbox.change(meter_scenario=scenario, elsewhere=5)

    found = read(app, by=BOSS)

    assert isinstance(found, MeterFailure)
    assert (found.fault, found.actor_id) == (fault, ADMIN.id)
    assert failures(app) == [fault]
    assert len(readings(app)) == 1
    record = records(app, Action.COUNTER_READ)[-1]
    assert (record.success, record.detail) == (False, {"source": "metering", "fault": fault})


@on_one_database
def test_a_wrong_key_and_a_wrong_clock_are_told_apart(make_app: MakeApp, sandbox: Sandbox) -> None:
    read(live(make_app, sandbox, ACCESS_KEY_ID="another"))
    at = utc_now() + timedelta(hours=2)
    read(live(make_app, sandbox, ACCESS_KEY_SECRET="wrong"), at)
    read(live(make_app, sandbox), at + timedelta(hours=2))

    assert failures(live(make_app, sandbox)) == [Fault.KEY_UNKNOWN, Fault.SIGNATURE, Fault.CLOCK]


@on_one_database
def test_figures_that_went_back_are_a_failure_that_says_what_to_do(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = live(make_app, sandbox)
    enter(app, 500, 1000, NOW)

    assert isinstance(read(app), MeterFailure)
    assert failures(app) == [WENT_BACK]
    assert len(readings(app)) == 1


def test_every_fault_has_its_words() -> None:
    assert set(FAULTS) == {*Fault, WENT_BACK}


@on_one_database
def test_without_a_key_nobody_is_asked(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = make_app(METERING_URL=sandbox.metering_url)
    with pytest.raises(NotAsked) as raised:
        read(app)
    assert raised.value.again_at is None
    run_job(app, JOB, "me")

    assert sandbox.counts().metered == 0
    assert (readings(app), failures(app)) == ([], [])


@on_one_database
def test_a_live_instance_never_uses_the_sandbox_s_key(make_app: MakeApp) -> None:
    app = make_app(VENDOR_URL="https://vendor.example")

    with app.app_context():
        assert not app.extensions["meter"].is_set()
        assert not app.extensions["meter"].is_sandbox


@on_one_database
def test_once_live_a_vendor_on_this_machine_is_no_sandbox(app: Flask) -> None:
    with app.app_context():
        be("live")
        assert not app.extensions["meter"].is_sandbox
        assert not app.extensions["meter"].is_set()


def test_the_job_asks_the_built_in_sandbox_every_hour_too(make_app: MakeApp, sandbox: Sandbox) -> None:
    app, now = make_app(VENDOR_URL="sandbox"), utc_now()
    app.extensions["vendor"].own_sandbox = sandbox.url
    with time_machine.travel(now, tick=False) as clock:
        for _ in range(25):
            assert run_job(app, JOB, "me", utc_now)
            clock.shift(5 * MINUTE)

    assert sandbox.counts().metered == 3
    assert len(readings(app)) == 3
    with app.app_context():
        assert [one.actor_id for one in readings(app)] == [None] * 3


@on_one_database
def test_neither_key_nor_signature_is_ever_logged(
    make_app: MakeApp, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = live(make_app, sandbox, ACCESS_KEY_SECRET="a-secret-nobody-may-see")
    read(app)

    assert "a-secret-nobody-may-see" not in caplog.text
    assert "a-secret-nobody-may-see" not in repr(app.extensions["meter"].__dict__)
    assert not any(record.name.startswith("urllib3") and KEY.id in record.getMessage() for record in caplog.records)


@on_one_database
def test_the_job_never_asks_a_stand_in_that_was_not_started_with_the_product(app: Flask, sandbox: Sandbox) -> None:
    run_job(app, JOB, "me")

    assert sandbox.counts().metered == 0
    assert (readings(app), failures(app)) == ([], [])


def test_a_day_without_a_reading_is_told_once_and_taken_back_by_the_next(app: Flask, sandbox: Sandbox) -> None:
    enter(app, 0, at=NOW)
    sandbox.change(meter_scenario=MeterScenario.FORBIDDEN)
    for hour in range(1, 25):
        read(app, NOW + hour * HOUR)
    assert notices(app, "counter_silent") == []
    for hour in range(25, 49):
        read(app, NOW + hour * HOUR)
    assert notices(app, "counter_silent") == [{"day": "2026-11-02"}]

    enter(app, 0, at=NOW + 49 * HOUR)
    assert notices(app, "counter_silent") == []
    for hour in (50, 75):
        read(app, NOW + hour * HOUR)
    assert notices(app, "counter_silent") == [{"day": "2026-11-04"}]


def test_figures_that_went_back_are_told_after_a_day_too(make_app: MakeApp, sandbox: Sandbox) -> None:
    there, now = live(make_app, sandbox), utc_now()
    enter(there, 5, 1_000_000, now - 30 * HOUR)
    read(there, now - 25 * HOUR)
    read(there, now)
    assert failures(there) == ["clock", WENT_BACK]
    assert len(notices(there, "counter_silent")) == 1


@pytest.mark.parametrize("counted", [0, 1, 2])
def test_calls_made_while_the_vendor_is_asked_are_no_drift_on_whichever_side_it_counted_them(
    app: Flask, sandbox: Sandbox, counted: int
) -> None:
    """Two calls begin and end between asking and answer; the vendor took its figure before, between or after them."""
    read(app)

    class Slow:
        """The real counter, while the desk goes on."""

        def __getattr__(self, name: str) -> Any:
            return getattr(app.extensions["meter"], name)

        def read(self, now: datetime) -> Any:
            for number in range(2):
                call(app, number)
            sandbox.change(elsewhere=counted)
            return app.extensions["meter"].read(now)

    before = utc_now()
    with app.app_context():
        reading = operations.ask(cast(Meter, Slow()), BOSS, this_instance(), utc_now(), hurry=True)
    assert isinstance(reading, MeterReading)

    assert (reading.drift, reading.under_way) == (0, 2)
    assert reading.asked_at is not None
    assert before <= reading.asked_at < reading.at
    assert standing(app).comparison.verdict is Verdict.OPEN
    assert differences(app) == []

    sandbox.change(elsewhere=2)
    following = read(app)
    assert isinstance(following, MeterReading)
    assert following.drift == 0, "nor at the next reading"


def test_nobody_was_asked_where_a_person_read_the_console(app: Flask) -> None:
    enter(app, 5)
    assert [one.asked_at for one in readings(app)] == [None]
