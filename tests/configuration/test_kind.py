"""Practice and live never mix: a database takes its kind once, and going live clears all practice and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select

from tests.support.cast import ADMIN, CAST, NOW, OPERATOR, Desk
from tests.support.waiting import together
from webapp.accounts.models import MADE_UP, Role, User
from webapp.accounts.operations import Profile, create_user
from webapp.audit.trail import SYSTEM, Action, AuditRecord, Who
from webapp.configuration.kind import PRACTICE, WrongKind, agree, go_live
from webapp.foundation import runtime
from webapp.foundation.database import Base, db, transaction
from webapp.foundation.instance import this_instance
from webapp.vendor import circuit
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import purposes
from webapp.verification.models import LegalBasis, Purpose
from webapp.verification.purposes import Terms

MakeApp = Callable[..., Flask]
LIVE = {"VENDOR_URL": "https://vendor.example"}
ONE, TWO = "k1:" + "QUFB" * 10 + "QUE=", "k1:" + "QkJC" * 10 + "QkI="
STAYS = {
    "ledger_leave",  # holds no row but inside a transaction
    "app_user", "department", "login_session", "login_failure", "setting", "audit_record", "purpose", "lease",
    "circuit", "reminder_recipient", "calendar_day", "cap", "deduction_rule", "message_hold", "audit_segment",
    "audit_checkpoint", "key_rotation", "key_rotation_part",
}  # fmt: skip
"""Tables that going live leaves: people, settings, the trail. What is new here must be thought about."""


def agreed(app: Flask) -> str:
    with app.app_context():
        agree(this_instance(), NOW)
        return str(runtime.stored("instance_kind", this_instance().sealer))


def refusal(app: Flask, what: Callable[..., object] = agree) -> str:
    with app.app_context(), pytest.raises(WrongKind) as raised:
        what(this_instance(), NOW)
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


def counts(app: Flask) -> dict[str, int]:
    with app.app_context():
        there = inspect(db.engine).get_table_names()
        tables = [table for table in Base.metadata.sorted_tables if table.name in there]
        return {table.name: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


@pytest.mark.parametrize(
    ("settings", "kind"), [({}, "sandbox"), ({"VENDOR_URL": "sandbox"}, "sandbox"), (LIVE, "live")]
)
def test_a_new_database_takes_the_kind_of_the_settings_and_keeps_it(
    make_app: MakeApp, settings: dict[str, str], kind: str
) -> None:
    app = make_app(**settings)

    assert agreed(app) == kind
    assert agreed(app) == kind


def test_practice_data_refuses_the_real_vendor_and_says_how_to_go_on(make_app: MakeApp) -> None:
    agreed(make_app())

    assert "yuliang go-live" in refusal(make_app(**LIVE))


def test_a_live_database_refuses_the_sandbox(make_app: MakeApp) -> None:
    agreed(make_app(**LIVE))

    assert "YULIANG_VENDOR_URL" in refusal(make_app(VENDOR_URL="sandbox"))
    assert agreed(make_app(VENDOR_URL="https://another.example")) == "live"


def test_a_vendor_on_this_machine_serves_practice_and_after_going_live_as_a_relay(make_app: MakeApp) -> None:
    relay = make_app(VENDOR_URL="http://127.0.0.1:8001")
    assert agreed(relay) == "sandbox"

    with relay.app_context():
        go_live(this_instance(), NOW)

        assert agree(this_instance(), NOW) == "live"


def test_a_server_of_practice_sends_nothing_once_the_database_is_live(make_app: MakeApp, sandbox: Sandbox) -> None:
    practice = make_app()
    agreed(practice)
    Desk(practice, ADMIN).record_lot(100)
    operator = Desk(practice, OPERATOR)
    token = operator.token()
    live = make_app(**LIVE)
    with live.app_context():
        go_live(this_instance(), NOW)

    form = {"csrf_token": token, "name": "张三", "id_number": "11010519491231002X", "purpose": "1", "consent": "yes"}
    page = operator.client.post("/verify", data=form)

    assert page.status_code == 503
    assert counts(live)["verification"] == 0
    assert sandbox.counts().received == 0


def test_other_keys_than_the_databases_own_are_refused_by_name(make_app: MakeApp) -> None:
    agreed(make_app(DATA_KEYS=ONE, INDEX_KEYS=ONE))

    assert "YULIANG_INDEX_KEYS" in refusal(make_app(DATA_KEYS=ONE, INDEX_KEYS=TWO))
    assert "YULIANG_DATA_KEYS" in refusal(make_app(DATA_KEYS=TWO, INDEX_KEYS=ONE))
    assert agreed(make_app(DATA_KEYS=f"{TWO.replace('k1', 'k2')},{ONE}", INDEX_KEYS=ONE)) == "sandbox"


def test_two_that_start_on_a_new_database_at_once_both_agree(make_app: MakeApp) -> None:
    app = make_app()

    together(lambda: agreed(app), lambda: agreed(app), lambda: agreed(app))

    assert agreed(app) == "sandbox"


def test_of_every_table_it_is_decided_whether_it_is_practice() -> None:
    cleared = {model.__tablename__ for model in PRACTICE}

    assert cleared & STAYS == set()
    assert cleared | STAYS == set(Base.metadata.tables)


def test_going_live_clears_all_practice_and_nothing_else(make_app: MakeApp) -> None:
    practice = make_app()
    agreed(practice)
    Desk(practice, ADMIN).record_lot(100)
    for name in ("张三", "张三", "演练重置已计次", "演练缺少编码", "演练余量用尽"):
        Desk(practice, OPERATOR).verify(name, "11010519491231002X")
    with practice.app_context():
        assert circuit.present(NOW) is not None, "calls are stopped"
    before = counts(practice)
    live = make_app(**LIVE)

    with live.app_context():
        go_live(this_instance(), NOW)

    after = counts(live)
    assert {name for name, rows in after.items() if rows and name not in STAYS} == set()
    assert {name: after[name] for name in STAYS - {"audit_record"}} == {
        name: before[name] for name in STAYS - {"audit_record"}
    }
    assert before["verification"] == before["identity"] == 4
    assert after["audit_record"] == before["audit_record"] + 1
    assert agreed(live) == "live"
    with live.app_context():
        record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc())).first()
        assert record is not None
        assert (record.action, record.actor_id, record.detail) == (Action.WENT_LIVE, None, {"verifications": 4})
        assert circuit.present(NOW) is None
    assert [Desk(live, member).get("/").status_code for member in CAST] == [200] * len(CAST)


def test_going_live_needs_the_real_address_first_and_happens_once(make_app: MakeApp) -> None:
    practice = make_app(VENDOR_URL="sandbox")
    agreed(practice)
    assert "VENDOR_URL" in refusal(practice, go_live)

    live = make_app(**LIVE)
    with live.app_context():
        go_live(this_instance(), NOW)

    Desk(live, ADMIN).record_lot(100)
    assert "already" in refusal(live, go_live)
    assert counts(live)["lot"] == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_sandbox_is_shown_and_offered_where_one_practises_only(make_app: MakeApp) -> None:
    practice, live = Desk(make_app(), OPERATOR), Desk(make_app(**LIVE), OPERATOR)

    assert practice.get("/sandbox").status_code == 200
    assert "instance-strip" in practice.get("/").text
    assert live.get("/sandbox").status_code == 404
    assert "instance-strip" not in live.get("/").text
    assert "/sandbox" not in live.get("/").text


def test_people_and_purposes_of_a_made_up_year_are_switched_off(make_app: MakeApp) -> None:
    practice = make_app()
    agreed(practice)
    with practice.app_context():
        with transaction():
            boss = create_user(Profile("王管理", f"admin@{MADE_UP}", Role.ADMIN, "综合部"), None, SYSTEM, NOW)
            made = purposes.add(Terms("入职核验", "Hiring", LegalBasis.CONTRACT, True, 24, 1, 1), Who(boss.id, ""), NOW)
        boss_id, purpose_id = boss.id, made.id
    live = make_app(**LIVE)

    with live.app_context():
        assert go_live(this_instance(), NOW) == [f"admin@{MADE_UP}"]

        assert not db.session.get_one(User, boss_id).active
        assert db.session.get_one(User, ADMIN.id).active
        assert set(db.session.scalars(select(Purpose.id).where(Purpose.active))) == {1}
        assert purpose_id != 1
