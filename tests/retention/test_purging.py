"""The purge: identities, messages and old records go; facts, charts, ledger, receipts and their proof stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from tests.audit import trails
from tests.receipts.papers import answer_of, paper_of, prove
from tests.retention import ages
from tests.retention.ages import DAY, ask_then, identities, left, night, said
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk
from tests.verification.calls import MATCH, UNKNOWN, buy, differences, somebody, who
from webapp.accounts.models import Role
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import saved_operations
from webapp.history.saved_models import SavedView
from webapp.history.saved_operations import Content
from webapp.notify import outbox
from webapp.notify.messages import Attempt, Message, State
from webapp.notify.notices import Notice
from webapp.notify.outbox import Draft
from webapp.retention import batches, holds, overview, purging, reach
from webapp.retention.models import LegalHold, PurgeRun
from webapp.retention.rules import Kind
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.models import Identity, IdentityIndex
from webapp.watching import health as watching

MakeApp = Callable[..., Flask]
HURDLES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The product, keeping identities for 30 days, with a lot."""
    app = make_app(KEEP_IDENTITY="30", KEEP_OUTBOX="30", KEEP_AUDIT="184")
    buy(app, 1000)
    return app


def rows(app: Flask, path: str) -> int:
    """How many verifications a page shows."""
    answer = Desk(app, ADMIN).get(path)
    assert answer.status_code == 200
    return answer.text.count("data-verification")


def test_old_identities_go_with_all_that_finds_them_and_young_ones_stay(app: Flask) -> None:
    old = ask_then(app, somebody(1), 32 * DAY, reference="A-1")
    young = ask_then(app, somebody(2), 29 * DAY, reference="A-2")

    night(app)

    assert identities(app) == [young]
    with app.app_context():
        assert set(db.session.scalars(select(IdentityIndex.verification_id))) == {young}
    assert old not in identities(app)


def test_facts_charts_and_books_are_what_they_were(app: Flask) -> None:
    for n in range(12):
        ask_then(app, somebody(n), (40 - n) * DAY)
    ages.fold(app)
    paths = "/history", "/usage", "/quota"
    facts, counted = ages.facts(app), ages.counted(app)
    pages = [rows(app, path) for path in paths]

    night(app)

    assert len(identities(app)) == 2
    assert (ages.facts(app), ages.counted(app)) == (facts, counted)
    assert differences(app) == []
    assert [rows(app, path) for path in paths] == pages
    assert Desk(app, ADMIN).get("/verifications/1").status_code == 200


def test_a_receipt_is_still_proven_by_its_paper(app: Flask, sandbox: Sandbox) -> None:
    Desk(app, OPERATOR).verify("张三", "11010519491231002X")
    paper = paper_of(app)
    later = NOW + timedelta(days=20_000)

    night(app, later)

    assert left(app) == {"identity": 0, "identity_index": 0, "reuse_reference": 0, "receipt_salt": 0}
    assert answer_of(prove(Desk(app, None), paper.entered())) == "true"
    assert answer_of(prove(Desk(app, None), paper.entered(name="李四"))) == "not_confirmed"


def test_a_call_that_nobody_has_settled_keeps_its_person(app: Flask) -> None:
    open_call = ask_then(app, somebody(1), 90 * DAY, UNKNOWN)
    ask_then(app, somebody(2), 90 * DAY)

    night(app)

    assert identities(app) == [open_call]
    with app.app_context():
        run = purging.last_run(Kind.IDENTITY)
        assert run is not None
        assert (run.removed, run.spared) == (1, 1)


def test_a_purge_is_recorded_once_with_what_it_came_to(app: Flask) -> None:
    for n in range(5):
        ask_then(app, somebody(n), 90 * DAY)

    night(app)
    night(app)
    night(app, NOW + DAY)

    begun, done = said(app, Action.PURGE_BEGUN, Action.PURGE_DONE)
    assert (begun[0], begun[1]["kind"]) == (Action.PURGE_BEGUN, "identity")
    assert begun[1]["before"] == "2026-10-02T16:00:00+00:00"
    assert done == (Action.PURGE_DONE, {"kind": "identity", "removed": 5, "spared": 0})


def test_a_night_without_anything_old_leaves_one_row_and_no_record(app: Flask) -> None:
    for passed in range(4):
        night(app, NOW + passed * DAY)

    with app.app_context():
        assert {(run.kind, run.removed, run.finished_at) for run in db.session.scalars(select(PurgeRun))} == {
            (kind, 0, NOW + 3 * DAY) for kind in purging.BATCHES
        } - {(Kind.FACTS, 0, NOW + 3 * DAY)}, "facts are kept for ever"
    assert said(app, Action.PURGE_BEGUN, Action.PURGE_DONE) == []


def test_before_two_in_the_night_nothing_begins(app: Flask) -> None:
    ask_then(app, somebody(1), 90 * DAY)

    assert night(app, NOW.replace(hour=17)) == 0  # 01:00 of the next day in Shanghai
    assert night(app, NOW.replace(hour=18)) > 0


def test_a_run_that_was_killed_goes_on_behind_its_last_batch(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SIZE", 4)
    monkeypatch.setattr(purging, "LONGEST", 0.0)
    for n in range(10):
        ask_then(app, somebody(n), 90 * DAY)

    night(app, most=2)  # the run begins, one batch is done; then the process is gone
    assert len(identities(app)) == 6
    assert differences(app) == []
    night(app, NOW + DAY)

    assert identities(app) == []
    assert said(app, Action.PURGE_DONE) == [(Action.PURGE_DONE, {"kind": "identity", "removed": 10, "spared": 0})]


def test_a_batch_that_dies_before_its_commit_has_done_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        ask_then(app, somebody(n), 90 * DAY)

    def die(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(purging, "_take", die)
        with pytest.raises(KeyboardInterrupt):
            night(app)

    assert len(identities(app)) == 3
    assert left(app)["identity_index"] > 0
    assert said(app, Action.PURGE_BEGUN) == []
    night(app)
    assert identities(app) == []


def test_settled_messages_go_and_what_waits_or_still_tells_stays(app: Flask) -> None:
    with app.app_context():
        for n, state in enumerate((State.SENT, State.REFUSED, State.QUEUED, State.SENT)):
            ago = NOW - (90 * DAY if n < 3 else DAY)
            with transaction() as session:
                number = outbox.write_one(Draft(f"k{n}", f"test:{n}", "test", "a@b.test", "en"), ago)
                message = session.get_one(Message, number)
                message.state, message.finished_at = state, None if state == State.QUEUED else ago
                session.add(Attempt(message_id=number, started_at=ago))

    night(app)

    with app.app_context():
        assert [one.key for one in db.session.scalars(select(Message).order_by(Message.id))] == ["k2", "k3"]
        assert len(db.session.scalars(select(Attempt)).all()) == 2


def test_a_message_that_was_written_anew_keeps_no_old_one_behind_it(app: Flask) -> None:
    ago = NOW - 90 * DAY
    with app.app_context(), transaction() as session:
        outbox.write([Draft(f"k{n}", "test", "test", "a@b.test", "en") for n in range(batches.SIZE + 5)], ago)
        session.execute(update(Message).values(state=State.SENT, finished_at=ago))
        last = update(Message).where(Message.key == f"k{batches.SIZE - 1}")
        session.execute(last.values(created_at=NOW, finished_at=NOW))

    night(app)

    with app.app_context():
        assert db.session.scalars(select(Message.key)).all() == [f"k{batches.SIZE - 1}"]


def test_the_trail_goes_in_whole_segments_and_stays_proven(app: Flask) -> None:
    trails.filled(app)
    later = NOW + 400 * DAY
    night(app, later)
    trails.seal(app, 400 * 86_400)

    assert trails.verify(app).faults == []
    assert len(said(app, Action.AUDIT_DROPPED)) == 1
    assert said(app, Action.PURGE_DONE)[0][1]["kind"] == "audit"


def test_saved_views_that_nobody_uses_go_with_a_record_and_each_use_counts_anew(make_app: MakeApp) -> None:
    app, admin = make_app(KEEP_VIEWS="30"), who(ADMIN)
    with app.app_context():
        instance = this_instance()
        unused, opened, renamed, young = (
            saved_operations.save(Content(f"view {n}", {}, "欧阳"), Role.AUDITOR, admin, instance, NOW + ago * DAY)
            for n, ago in enumerate((-40, -40, -40, -20))
        )
        views = {number: db.session.get_one(SavedView, number) for number in (opened, renamed)}
        assert saved_operations.use(views[opened], instance, NOW - 29 * DAY).search == "欧阳"
        saved_operations.change(views[renamed], "case 7", None, admin, instance, NOW - 29 * DAY)
        shown = next(one for one in overview.classes(instance, NOW) if one.period.kind == Kind.VIEWS)
        assert (shown.oldest, shown.tonight.rows, shown.within_month.rows) == (NOW - 40 * DAY, 1, 4)

    night(app)

    with app.app_context():
        assert set(db.session.scalars(select(SavedView.id))) == {opened, renamed, young}
        gone = select(AuditRecord).where(AuditRecord.action == Action.VIEW_DELETED)
        assert [(one.object_id, one.actor_id) for one in db.session.scalars(gone)] == [(unused, None)]
        run = purging.last_run(Kind.VIEWS)
        assert run is not None
        assert run.removed == 1


def test_what_was_tampered_with_in_the_trail_is_kept_the_rest_goes_and_they_are_told_who_must_know(app: Flask) -> None:
    numbers = trails.filled(app)
    trails.sql(app, "UPDATE audit_record SET actor = 'nobody' WHERE id = :id", id=numbers[6])

    night(app, NOW + 400 * DAY)

    with app.app_context():
        run = purging.last_run(Kind.AUDIT)
        assert run is not None
        assert (run.fault, run.removed, run.spared) == ("", 15, 5)
        told = db.session.scalars(select(Notice).where(Notice.kind == "purge_left")).all()
        assert [(one.role, one.params["records"]) for one in told] == [("admin", 5), ("auditor", 5)]
    with app.test_request_context(), force_locale("en"):
        lines = watching.faults(this_instance(), NOW + 400 * DAY)
    assert [line for line in lines if "not as sealed: 2." in line]
    page = Desk(app, ADMIN).get("/retention").text
    assert "与封存时不符而保留的段：2" in page
    assert "不符而保留：2。" in Desk(app, AUDITOR).get("/audit").text
    [fault] = trails.verify(app).faults
    assert fault == f"Record {numbers[6]} was changed."
    with app.app_context():
        oldest = db.session.get_one(AuditRecord, numbers[6] - 1).at
        since = reach.of_trail().since
    assert since is not None
    assert since > oldest, "what stayed is no whole trail"


def test_a_checkpoint_that_was_changed_keeps_the_trail_and_auditors_are_told(app: Flask) -> None:
    trails.filled(app)
    night(app, NOW + 400 * DAY)
    trails.seal(app, 400 * 86_400)
    trails.sql(app, "UPDATE audit_checkpoint SET records = 3")

    night(app, NOW + 800 * DAY)

    with app.app_context():
        run = purging.last_run(Kind.AUDIT)
        assert run is not None
        assert (run.fault, run.removed) == (purging.NOT_SOUND, 0)
        assert db.session.scalar(select(Notice.role).where(Notice.kind == "purge_stopped")) == "auditor"


def test_with_a_hold_the_trail_is_kept_from_the_held_verification_on(app: Flask) -> None:
    first = ask_then(app, somebody(1), timedelta(0))
    trails.filled(app)
    with app.app_context():
        holds.hold_verification(first, "case 7", who(ADMIN), this_instance(), NOW)

    night(app, NOW + 400 * DAY)

    assert said(app, Action.AUDIT_DROPPED) == []
    assert identities(app) == [first]


AGES = st.lists(st.tuples(st.integers(20, 45), st.sampled_from(["", "verification", "person", "lifted", "unknown"])),
                max_size=8)  # fmt: skip
PASSED = count(1)
"""Each example plays later than all before it: facts stand, in the order of time."""


@settings(max_examples=12, deadline=None, suppress_health_check=HURDLES)
@given(AGES, st.integers(1, 5), st.integers(0, 8))
def test_whatever_there_is_the_purge_leaves_what_a_plain_filter_leaves(
    app: Flask, made: list[tuple[int, str]], size: int, killed_after: int
) -> None:
    with app.app_context(), transaction() as session:
        for model in (LegalHold, PurgeRun, IdentityIndex, Identity):
            session.execute(delete(model))
    expected, now = [], NOW + next(PASSED) * 100 * DAY
    for n, (days, mark) in enumerate(sorted(made, reverse=True)):
        reply = UNKNOWN if mark == "unknown" else MATCH
        number = ask_then(app, somebody(n), NOW - now + days * DAY, reply)
        with app.app_context():
            if mark in ("verification", "lifted"):
                hold = holds.hold_verification(number, "why", who(ADMIN), this_instance(), NOW)
                assert mark != "lifted" or holds.lift(hold, "over", who(ADMIN), this_instance(), NOW)
            elif mark == "person":
                holds.hold_person(holds.Subject(*somebody(n)), "why", who(ADMIN), this_instance(), NOW)
        if days <= 30 or mark in ("verification", "person", "unknown"):
            expected.append(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "SIZE", size)
        patch.setattr(purging, "LONGEST", 0.0)
        night(app, now, most=killed_after)
        night(app, now)

    assert identities(app) == expected
    assert differences(app) == []
