"""The process dies at the worst moments of a paid call: after a restart the books are right, and nothing is doubled."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support.nursery import Nursery, running_nursery
from tests.verification.calls import ask, buy, differences, give_up, lot_figures, outcomes, somebody
from tests.verification.crash_child import POINTS, environment, live
from webapp.foundation.clock import utc_now
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.operations import AlreadySending

LATER = timedelta(minutes=10)
UNKNOWN = ("unknown", "unknown", "abandoned")
CHARGED, NOT_CHARGED = "演练超时已计次", "演练无答复"
"""Calls that are never answered."""
Die = Callable[..., int]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with running_nursery("tests.verification.crash_child") as nursery:
        yield nursery


@pytest.fixture
def die(nursery: Nursery, database: str, tmp_path: Path, sandbox: Sandbox) -> Die:
    """Lets a process on this test's database and vendor live and die; says how it ended."""
    environ = environment(database, tmp_path / "instance", sandbox.url)

    def order(**told: object) -> int:
        nursery.begin(live, environ=environ, **told)
        return nursery.end()

    return order


@pytest.mark.parametrize(
    ("point", "name", "charged", "figures", "stored"),
    [
        ("before_intent_commit", None, 0, (10, 0, 0), {}),
        ("after_intent", None, 0, (9, 1, 0), {UNKNOWN: 1}),
        ("during_call", CHARGED, 1, (9, 1, 0), {UNKNOWN: 1}),
        ("during_call", NOT_CHARGED, 0, (9, 1, 0), {UNKNOWN: 1}),
        ("after_answer", None, 1, (9, 1, 0), {UNKNOWN: 1}),
        ("before_outcome_commit", None, 1, (9, 1, 0), {UNKNOWN: 1}),
        ("after_outcome", "演练信息匹配", 1, (9, 0, 1), {("match", "yes", None): 1}),
        ("after_outcome", "演练后端报错", 0, (10, 0, 0), {("unexpected", "no", "backend_status"): 1}),
    ],
)
def test_a_process_killed_at_this_point_loses_and_doubles_nothing(
    app: Flask, die: Die, sandbox: Sandbox, point: str, name: str | None, charged: int,
    figures: tuple[int, int, int], stored: dict[tuple[str, str, str | None], int],
) -> None:  # fmt: skip
    lot = buy(app, 10)

    assert die(point=point, first=1, name=name) == -signal.SIGKILL

    assert differences(app) == [], "right at once, before any job has run"
    give_up(app, utc_now() + LATER)
    assert sandbox.counts().charged == charged
    assert outcomes(app) == stored
    assert lot_figures(app, lot) == figures
    assert differences(app) == []
    certain = sum(calls for (_outcome, billed, _cause), calls in stored.items() if billed == "yes")
    open_still = sum(calls for (_outcome, billed, _cause), calls in stored.items() if billed == "unknown")
    assert certain <= charged <= certain + open_still


def test_every_named_point_is_tried() -> None:
    (marked,) = test_a_process_killed_at_this_point_loses_and_doubles_nothing.pytestmark  # type: ignore[attr-defined]

    assert {row[0] for row in marked.args[1]} == set(POINTS)


def test_after_a_crash_the_same_person_can_be_asked_about_again(app: Flask, die: Die, sandbox: Sandbox) -> None:
    """Not before the call must have ended: until then it may still be under way."""
    die(point="after_answer", first=1)
    with pytest.raises(AlreadySending):
        ask(app, somebody(1))
    assert sandbox.counts().charged == 1

    ask(app, somebody(1), clock=lambda: utc_now() + LATER)

    assert (sandbox.counts().charged, sandbox.calls(*somebody(1)).charged) == (2, 2)
    assert outcomes(app)[UNKNOWN] == 1
    assert differences(app) == []
