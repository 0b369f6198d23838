"""What those who watch the product are told: it is up, it is ready, or what keeps it from being so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from tests.watching.outage import take_away
from webapp.foundation import leases
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db

MakeApp = Callable[..., Flask]


def ready(app: Flask) -> tuple[int, dict[str, Any]]:
    answer = app.test_client().get("/readyz")
    assert answer.mimetype == "application/json"
    told: dict[str, Any] = answer.get_json()
    assert set(told) == {"status", "checks"}
    assert (told["status"] == "ok") is (answer.status_code == 200)
    return answer.status_code, told["checks"]


def run_a_job(app: Flask, ago: timedelta, error: str | None = None) -> None:
    with app.app_context():
        now = utc_now() - ago
        assert leases.take("a job", "tests", now, timedelta(seconds=60), timedelta(seconds=5))
        leases.give_back("a job", "tests", now, now, error)
        db.session.remove()


def test_a_job_of_a_clock_that_was_ahead_does_not_pass_for_a_living_worker(app: Flask) -> None:
    run_a_job(app, timedelta(hours=-2))

    assert ready(app)[1]["worker"]["ok"] is False

    run_a_job(app, timedelta(seconds=-30))
    assert ready(app)[1]["worker"]["ok"] is True


def execute(app: Flask, statement: str, **values: str) -> None:
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(writes=True)
        connection.execute(text(statement), values)
        connection.commit()


def test_the_process_is_up_even_without_a_database(app: Flask, request: pytest.FixtureRequest) -> None:
    take_away(app, request)

    answer = app.test_client().get("/healthz")

    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")


def test_ready_with_a_worker_that_has_just_run(app: Flask) -> None:
    run_a_job(app, timedelta(seconds=5))

    status, checks = ready(app)

    assert status == 200
    assert {name: check["ok"] for name, check in checks.items()} == {
        "database": True,
        "migrations": True,
        "keys": True,
        "worker": True,
    }
    assert checks["database"]["detail"] in ("sqlite", "postgresql")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("ago", "error", "word"), [(None, None, "yuliang worker"), (3600, None, "yuliang worker"),
                                                    (5, "KeyError", "KeyError")])  # fmt: skip
def test_a_missing_or_failing_worker_is_told_but_not_required(
    app: Flask, ago: int | None, error: str | None, word: str
) -> None:
    if ago is not None:
        run_a_job(app, timedelta(seconds=ago), error)

    status, checks = ready(app)

    assert status == 200
    assert (checks["worker"]["ok"], checks["worker"]["required"]) == (False, False)
    assert word in checks["worker"]["detail"]


def test_not_ready_without_a_database(app: Flask, request: pytest.FixtureRequest) -> None:
    ready(app)
    take_away(app, request)

    status, checks = ready(app)

    assert status == 503
    assert checks["database"]["ok"] is False
    assert checks["worker"]["required"] is False


def test_not_ready_with_an_older_or_an_unknown_schema(app: Flask) -> None:
    for revision, detail in (("0001", "behind"), ("9999", "SchemaNewer")):
        execute(app, "UPDATE alembic_version SET version_num = :revision", revision=revision)

        status, checks = ready(app)

        assert status == 503
        assert (checks["database"]["ok"], checks["migrations"]) == (True, {"ok": False, "detail": detail})


def test_not_ready_on_an_empty_database(app: Flask) -> None:
    execute(app, "DROP TABLE alembic_version")

    assert ready(app)[1]["migrations"] == {"ok": False, "detail": "empty"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_told_names_no_secret_and_no_place(make_app: MakeApp, request: pytest.FixtureRequest) -> None:
    app = make_app(APPCODE="pss-appcode")
    take_away(app, request)

    told = app.test_client().get("/readyz").text

    assert "pss" not in told
    assert "yuliang.db" not in told
    assert "/" not in told
