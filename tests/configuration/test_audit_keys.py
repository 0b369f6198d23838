"""The audit keys stand in the ring: a machine with a wrong one is named before it writes into the chain, and machines
that have them in another order stamp and seal with the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.audit.trails import filled, seal, sealed, sql, verify, write
from tests.support.cast import ADMIN, AUDITOR, NOW, Desk
from webapp.audit.segments import AuditSegment
from webapp.audit.trail import Action, AuditRecord
from webapp.configuration import kind
from webapp.configuration.kind import WrongKind, agree
from webapp.foundation import key_ring, leases
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.sealing import KeyMissing
from webapp.scheduler import JOBS, run_job
from webapp.watching import health

MakeApp = Callable[..., Flask]
OTHER, NEW = "k1:" + "QUFB" * 10 + "QUE=", "k2:" + "QkJC" * 10 + "QkI="


def own_key(app: Flask) -> str:
    path: Path = app.extensions["yuliang"].settings.instance / "keys" / "audit_key"
    return path.read_text().strip()


def join(app: Flask) -> None:
    """What a start does."""
    with app.app_context():
        agree(this_instance(), NOW)
        db.session.remove()


def refusal(app: Flask) -> str:
    with app.app_context(), pytest.raises(WrongKind) as raised:
        agree(this_instance(), NOW)
    said = str(raised.value)
    assert len(said.splitlines()) == 1
    return said


def records(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(AuditRecord)) or 0


def key_of(app: Flask) -> str:
    with app.app_context():
        return this_instance().keys.audit[0].id


def keys_of_segments(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(AuditSegment.key_id).order_by(AuditSegment.number)))


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_database_that_never_named_its_audit_key_refuses_one_that_is_not_its_trail_s(
    app: Flask, make_app: MakeApp, is_sealed: bool
) -> None:
    if is_sealed:
        filled(app, segments=1)
    before = records(app)

    for wrong in (OTHER, NEW):
        assert "YULIANG_AUDIT_KEY" in refusal(make_app(AUDIT_KEY=wrong))

    assert records(app) == before, "nothing was written into the chain"
    join(app)
    assert "audit key k1 in YULIANG_AUDIT_KEY" in refusal(make_app(AUDIT_KEY=OTHER)), "the ring says so from now on"


def test_a_changed_newest_segment_keeps_the_right_key_from_nothing(app: Flask) -> None:
    filled(app, segments=2)
    sql(app, "UPDATE audit_segment SET records = 99 WHERE number = (SELECT max(number) FROM audit_segment)")

    join(app)

    assert key_of(app) == "k1"


def test_machines_with_the_keys_in_another_order_stamp_and_seal_with_the_same(app: Flask, make_app: MakeApp) -> None:
    filled(app, segments=1)
    join(app)
    newer, older = make_app(AUDIT_KEY=f"{NEW},{own_key(app)}"), make_app(AUDIT_KEY=f"{own_key(app)},{NEW}")
    join(newer)
    join(older)

    assert [key_of(newer), key_of(older)] == ["k2", "k2"]
    with older.app_context():
        write(1)
        db.session.remove()
    seal(newer, 1)
    with newer.app_context():
        write(2)
        db.session.remove()
    seal(older, 2)
    assert keys_of_segments(app)[-2:] == ["k2", "k2"]
    assert verify(older).faults == verify(newer).faults == []


def test_a_running_process_takes_up_a_key_that_waits_behind_and_without_it_does_nothing(
    app: Flask, make_app: MakeApp
) -> None:
    filled(app, segments=1)
    join(app)
    waiting = make_app(AUDIT_KEY=f"{own_key(app)},{NEW}")
    join(waiting)
    assert key_of(waiting) == "k1"

    join(make_app(AUDIT_KEY=f"{NEW},{own_key(app)}"))

    with waiting.app_context():
        key_ring.heed()
        assert this_instance().keys.audit[0].id == "k2"
    before = records(app)
    page = Desk(app, AUDITOR).get("/audit")
    assert page.status_code == 500, "as where a data key is missing"
    assert records(app) == before, "who lacks the key writes nothing"
    with app.app_context(), pytest.raises(KeyMissing, match="audit key k2"):
        key_ring.heed()


def test_no_genuine_record_is_passed_by_for_a_key_that_came_a_moment_ago(app: Flask, make_app: MakeApp) -> None:
    """The sealer's keys are of up to a second ago; what it refuses it looks at with those of now."""
    filled(app, segments=1)
    join(app)
    waiting = make_app(AUDIT_KEY=f"{own_key(app)},{NEW}")
    join(waiting)
    for one in (app, waiting):
        with one.app_context():
            key_ring.heed()
    newer = make_app(AUDIT_KEY=f"{NEW},{own_key(app)}")
    join(newer)
    with newer.app_context():
        write(1)
        db.session.remove()
    with waiting.app_context():
        write(2)
        db.session.remove()
    before = sealed(app)

    with pytest.raises(KeyMissing):
        seal(app, 1)
    assert sealed(app) == before

    seal(waiting, 1)
    assert verify(newer).faults == []
    with newer.app_context():
        refused = select(AuditRecord.id).where(AuditRecord.action == Action.RECORDS_REFUSED)
        assert db.session.scalars(refused).all() == []


def test_a_machine_that_lacks_a_key_is_named_to_all_others_until_it_has_it(app: Flask, make_app: MakeApp) -> None:
    filled(app, segments=1)
    join(app)
    newer = make_app(AUDIT_KEY=f"{NEW},{own_key(app)}")
    join(newer)
    job = JOBS[0]

    assert not run_job(app, job, "tests")

    with newer.app_context():
        [(machine, lacks)] = leases.lacking()
        assert "audit key k2" in lacks
        db.session.remove()
    with newer.test_request_context():
        assert any(machine in line and "audit key k2" in line for line in health.faults(this_instance(), NOW))
        db.session.remove()
    assert run_job(newer, job, "tests"), "its turn was not taken"
    page = Desk(newer, ADMIN).get("/audit", headers={"Accept-Language": "en"}).text
    assert f"The machine {machine} lacks a key" in page
    checks = app.test_client().get("/readyz").get_json()["checks"]
    assert (checks["keys"]["ok"], checks["keys"]["required"]) == (False, False)
    assert "audit key k2" in checks["keys"]["detail"]

    join(make_app(AUDIT_KEY=f"{own_key(app)},{NEW}"))

    with newer.app_context():
        assert leases.lacking() == []
    assert newer.test_client().get("/readyz").get_json()["checks"]["keys"]["ok"]


def test_the_page_tells_which_key_seals_by_its_fingerprint(app: Flask) -> None:
    filled(app, segments=1)
    join(app)
    with app.app_context():
        [mark] = key_ring.audit_fingerprints(this_instance().keys).values()

    page = Desk(app, AUDITOR).get("/audit", headers={"Accept-Language": "en"}).text

    assert f"<code>{mark}</code>" in page
    assert own_key(app).partition(":")[2] not in page


def test_an_old_key_is_needed_as_long_as_a_segment_is_under_it_and_never_stamps_again(
    app: Flask, make_app: MakeApp
) -> None:
    filled(app, segments=1)
    join(app)
    join(make_app(AUDIT_KEY=f"{NEW},{own_key(app)}"))
    assert "audit key k1" in refusal(make_app(AUDIT_KEY=NEW))

    sql(app, "UPDATE audit_segment SET key_id = 'k2'")  # as if those of before had been dropped
    alone = make_app(AUDIT_KEY=NEW)
    join(alone)
    back = make_app(AUDIT_KEY=f"{own_key(app)},{NEW}")
    join(back)

    assert [key_of(alone), key_of(back)] == ["k2", "k2"]
    page = Desk(back, ADMIN).get("/settings/keys").text
    assert 'data-key="audit-k1" data-use="retired"' in page
    assert 'data-key="audit-k2" data-use="auditing"' in page


def test_a_ring_of_a_former_version_learns_the_audit_keys(app: Flask) -> None:
    filled(app, segments=1)
    with app.app_context():
        sealer = this_instance().sealer
        with transaction():
            key_ring.write(key_ring.new(sealer), sealer, NOW)
        kind.agree(this_instance(), utc_now() + timedelta(days=1))
        ring = key_ring.read(sealer)
        assert ring is not None
        assert (list(ring.audit), ring.stamping) == (["k1"], "k1")
