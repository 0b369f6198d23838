"""Sealing: every record once, none skipped, whoever commits late, however many sealers, wherever one dies."""

from __future__ import annotations

import random
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import structlog.testing
from flask import Flask
from sqlalchemy import Connection, func, select

from tests.audit.trails import SECOND, heads, seal, sealed, verify, write
from tests.support.cast import NOW
from webapp.audit import sealer, stamps, stored
from webapp.audit.heads import head
from webapp.audit.trail import SYSTEM, Action, AuditRecord, Who, append
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.scheduler import JOBS, run_job

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@contextmanager
def under_way(app: Flask, call: int) -> Iterator[Connection]:
    """Somebody's open transaction that has added a record."""
    with app.app_context():
        engine, keys = db.engine, this_instance().keys
    with engine.connect() as connection:
        number = connection.exec_driver_sql(stored._NEXT["postgresql"]).scalar_one()
        record = stored.Record(
            number, stored.as_stored(NOW), None, "late", "login", "", call, True, "", "", "{}", None, None, None
        )
        connection.exec_driver_sql(stored._VALUES["postgresql"], tuple(stamps.stamped(record, keys)))
        yield connection


def written(app: Flask, *calls: int) -> None:
    with app.app_context():
        write(*calls)


def newest(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.max(AuditRecord.id))) or 0


def seal_once(app: Flask) -> bool:
    with app.app_context():
        return sealer.seal_next(this_instance().keys, NOW)


def test_all_that_is_there_is_sealed_once(app: Flask) -> None:
    seal(app)
    written(app, 1, 2, 3)
    seal(app)
    assert not seal_once(app), "nothing is left"

    assert sealed(app) == [[1, 2, 3, 4], [5, 6, 7]]
    assert verify(app).faults == []


def test_what_was_appended_since_is_said_to_be_unsealed(app: Flask) -> None:
    seal(app)
    written(app, 1, 2)

    verdict = verify(app).verdict

    assert (verdict.records, verdict.unsealed, verdict.unsealed_since[:19]) == (4, 2, "2026-11-02 04:00:01")


@on_one_database
def test_many_are_sealed_in_segments_of_bounded_size(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "MOST", 7)
    written(app, *range(16))

    seal(app)

    assert [len(numbers) for numbers in sealed(app)] == [7, 7, 6]
    assert verify(app).verdict.records == 20


@on_postgresql
def test_a_record_that_is_committed_late_is_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "PAUSES", 3)
    seal(app)
    written(app, 1)
    with under_way(app, 99) as late:
        written(app, 2, 3)
        seal(app)
        assert sealed(app)[1:] == [[5]], "up to the number that is missing"
        late.commit()
    seal(app)

    assert sealed(app)[1:] == [[5], [6, 7, 8]]
    assert verify(app).faults == []


@on_postgresql
def test_a_record_that_was_rolled_back_is_not_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "PAUSES", 1)
    seal(app)
    with under_way(app, 99) as failed:
        written(app, 1)
        failed.rollback()
    written(app, 2)

    seal(app)

    assert sealed(app)[1:] == [[6, 7]]
    assert verify(app).faults == []


@on_postgresql
def test_who_is_under_way_with_the_newest_number_of_all_delays_nothing(app: Flask) -> None:
    seal(app)
    written(app, 1)
    with under_way(app, 99) as late:
        seal(app)
        assert sealed(app)[1:] == [[5]]
        late.commit()
    seal(app)

    assert sealed(app)[1:] == [[5], [6]]


@on_postgresql
def test_those_who_came_later_are_not_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a busy house would never be sealed."""
    looked = threading.Event()
    adding = sealer._adding

    def look() -> set[str]:
        found = adding()
        looked.set()
        return found

    monkeypatch.setattr(sealer, "PAUSES", 10**6)
    monkeypatch.setattr(sealer, "_adding", look)
    seal(app)
    with under_way(app, 98) as first:
        written(app, 1)
        sealing = threading.Thread(target=seal, args=(app,))
        sealing.start()
        assert looked.wait(60)
        with under_way(app, 99) as second:
            first.commit()
            sealing.join(60)
            assert not sealing.is_alive()
            assert sealed(app)[1:] == [[5, 6]]
            second.commit()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_appended_while_sealers_work_is_sealed_once(app: Flask, seed: int) -> None:
    chance, over = random.Random(seed), threading.Event()
    plans = [[chance.random() for _ in range(25)] for _ in range(3)]

    def work(plan: list[float]) -> None:
        for one in plan:
            with app.app_context(), pytest.raises(ZeroDivisionError) if one < 0.3 else open_end(), transaction():
                append(SYSTEM, Action.LOGIN, NOW, part=str(one))
                if one < 0.3:
                    raise ZeroDivisionError

    def seal_until_over() -> None:
        while not over.is_set():
            seal(app)

    workers = [threading.Thread(target=work, args=(plan,)) for plan in plans]
    sealers = [threading.Thread(target=seal_until_over) for _ in range(2)]
    for thread in workers + sealers:
        thread.start()
    for thread in workers:
        thread.join()
    over.set()
    for thread in sealers:
        thread.join()
    seal(app)

    said = verify(app)
    assert (said.faults, said.verdict.unsealed) == ([], 0)
    assert said.verdict.records == 4 + sum(one >= 0.3 for plan in plans for one in plan)


@contextmanager
def open_end() -> Iterator[None]:
    yield


def test_of_two_sealers_with_the_same_segment_one_stores_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    make, answers = sealer._segment, []

    def overtaken(*arguments: object) -> object:
        monkeypatch.setattr(sealer, "_segment", make)
        other = threading.Thread(target=lambda: answers.append(seal_once(app)))
        other.start()
        other.join()
        return make(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sealer, "_segment", overtaken)
    answers.append(seal_once(app))

    assert answers == [True, False]
    assert sealed(app) == [[1, 2, 3, 4]]
    assert verify(app).faults == []


@pytest.mark.parametrize("step", ["_closed", "_segment", "insert_once"])
def test_a_sealer_that_dies_leaves_nothing_half_done(app: Flask, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    seal(app)
    written(app, 1, 2)
    step_itself: Callable[..., object] = getattr(sealer, step)

    def dies(*arguments: object, **named: object) -> None:
        step_itself(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as killed, app.app_context():
        killed.setattr(sealer, step, dies)
        with pytest.raises(KeyboardInterrupt):
            sealer.seal_next(this_instance().keys, NOW)
        db.session.remove()
    assert len(sealed(app)) == 1

    seal(app)

    assert sealed(app)[1:] == [[5, 6]]
    assert verify(app).faults == []


@on_one_database
def test_the_worker_seals_every_second(app: Flask) -> None:
    [job] = [job for job in JOBS if job.name == "seal the audit trail"]
    assert job.every == timedelta(seconds=1)

    assert run_job(app, job, "me", lambda: NOW)
    assert not run_job(app, job, "me", lambda: NOW + 0.5 * SECOND), "not yet due"
    written(app, 1)
    assert run_job(app, job, "me", lambda: NOW + 2 * SECOND)

    assert sealed(app) == [[1, 2, 3, 4], [5]]


@on_one_database
def test_the_head_is_the_newest_seal_and_says_since_when_others_wait(app: Flask) -> None:
    with app.app_context():
        assert head(this_instance().keys) is None
    seal(app, later=5)
    written(app, 8, 9)

    with app.app_context():
        found = head(this_instance().keys)

    assert found is not None
    assert (found.seal, found.number, found.last_id) == (heads(app)[-1], 1, 4)
    assert found.sealed_at == NOW + timedelta(hours=1, seconds=5)
    assert found.waiting_since == NOW + 8 * SECOND


@on_one_database
def test_a_day_s_head_is_logged(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    [job] = [job for job in JOBS if job.name == "log the audit trail's head"]
    assert job.every == timedelta(days=1)
    seal(app)

    with structlog.testing.capture_logs() as logged:
        run_job(app, job, "me")

    assert [(one["event"], one["head"]) for one in logged] == [("audit head", heads(app)[-1])]


@on_one_database
def test_new_segments_are_sealed_under_the_new_key_and_old_ones_stay_proven(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    old = next(iter((app.extensions["yuliang"].settings.instance / "keys").glob("audit_key"))).read_text().strip()
    written(app, 1)
    seal(app)
    rotated = make_app(AUDIT_KEY="k2:" + "QUFB" * 10 + "QUE=," + old)
    written(rotated, 2)
    seal(rotated)

    with rotated.app_context():
        assert [segment.key_id for segment in stored.segments()] == ["k1", "k2"]
    assert verify(rotated).faults == []
    assert verify(app).faults[0] == "Segment 2 is sealed under a key that this instance does not hold: 'k2'."


@on_one_database
def test_sealing_takes_the_write_lock_for_its_one_row_only(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever appends waits for no reading and no seal."""
    make = sealer._segment

    def meanwhile(*arguments: object) -> object:
        other = threading.Thread(target=written, args=(app, 50))
        other.start()
        other.join()
        return make(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sealer, "_segment", meanwhile)

    assert seal_once(app)
    assert newest(app) == 5


@on_one_database
def test_verifying_takes_the_memory_of_a_page_however_long_the_trail_is(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer, "MOST", 500)
    with app.app_context(), transaction():
        for _number in range(12_000):
            append(Who(None, "甲" * 100), Action.LOGIN, NOW, note="x" * 400)
    seal(app)

    tracemalloc.start()
    said = verify(app)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (said.faults, said.verdict.records) == ([], 12_004)
    assert peak < 4 * 2**20, f"{peak} bytes"
