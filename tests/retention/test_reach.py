"""How far back what is handed out reaches stands in it, by what is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tests.audit import trails
from tests.receipts.papers import said
from tests.retention.ages import DAY, ask_then, night
from tests.support.cast import ADMIN, AUDITOR, NOW, PASSWORD, Desk
from tests.verification.calls import buy, somebody
from webapp.foundation.database import db, transaction
from webapp.retention import reach
from webapp.retention.models import PurgeRun

ENGLISH = {"Accept-Language": "en"}
ASKED = {"filled": "yes", "words": "request 2026-17", "password": PASSWORD}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The product, with people of before and after the edge of the next purge."""
    app = make_app(KEEP_IDENTITY="30", KEEP_AUDIT="184")
    buy(app, 10)
    for days in (90, 32, 5):
        ask_then(app, somebody(days), days * DAY)
    return app


def files(app: Flask, days: int) -> dict[str, str]:
    """What a person's page and file, the record of processing and the trail's page say."""
    admin, person = Desk(app, ADMIN), dict(zip(("name", "id_number"), somebody(days), strict=True))
    return {
        "page": said(admin.post("/rights", person, headers=ENGLISH)),
        "file": admin.post("/rights/export", person | ASKED, headers=ENGLISH).text,
        "record": Desk(app, AUDITOR).post("/retention/processing-record", headers=ENGLISH).text,
        "looks": said(Desk(app, AUDITOR).post("/audit/person", person, headers=ENGLISH)),
    }


def test_before_the_first_purge_everything_reaches_back_to_its_beginning(app: Flask) -> None:
    told = files(app, 90)

    assert "back to the first verification, of 2026-08-04 12:00" in told["page"]
    assert "back to the first verification, of 2026-08-04 12:00" in told["file"]
    for where in ("page", "file", "record"):
        assert "from its first record of" in told[where], where
    assert "The audit trail reaches back to its first record" in told["looks"]


def test_after_a_purge_it_reaches_back_to_the_edge_and_not_as_far_as_is_promised(app: Flask) -> None:
    night(app)

    told = files(app, 5)

    for where in ("page", "file"):
        assert "What was verified since 2026-10-03 00:00:00 is stored" in told[where], where


def test_a_later_purge_with_an_earlier_edge_does_not_bring_back_what_went(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        for ago, kept, removed in ((9, 30, 1000), (1, 1096, 1), (0, 1, 0)):
            at = NOW - ago * DAY
            session.add(
                PurgeRun(kind="identity", started_at=at, before=at - kept * DAY, removed=removed, finished_at=NOW)
            )
    with app.app_context():
        assert reach.of_people() == reach.Reach(NOW - 39 * DAY, is_cut=True)


def test_a_trail_that_was_cut_says_from_when_on_it_counts(app: Flask) -> None:
    trails.filled(app)
    trails.seal(app, 400 * 86_400)
    night(app, NOW + 400 * DAY)
    with app.app_context():
        trail = reach.of_trail()
        db.session.remove()
    assert trail.is_cut
    assert trail.since is not None

    told = files(app, 5)

    since = f"{trail.since + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
    assert f"from {since} on; older records were dropped" in told["record"]
    assert f"reaches back to {since}; older records were dropped" in told["looks"]
    assert f"from {since} on; older records were dropped" in told["page"]
