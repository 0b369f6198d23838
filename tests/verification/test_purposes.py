"""Purposes: an admin's list, and what the desk asks for because of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN, COLLEAGUE, OPERATOR, Desk, Member, card_of
from tests.verification.calls import verification
from tests.verification.test_reuse import terms
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.persons.id_numbers import check_character
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.models import Purpose, ShiftDeclaration

Open = Callable[[Member | None], Desk]
ZHANG = {"name": "张三", "id_number": "11010519491231002X"}


def born(days_ago: int) -> str:
    """The number of somebody born so many days ago."""
    day = (utc_now() + timedelta(hours=8)).date() - timedelta(days=days_ago)
    first17 = f"100101{day:%Y%m%d}002"
    return first17 + check_character(first17)


CHILD = {"name": "演练孩子", "id_number": born(5 * 365)}


def test_an_admin_adds_a_purpose_and_it_can_be_chosen_at_once(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    added = desk(ADMIN).post("/settings/purposes/new", terms(name_zh="入职", name_en="Hiring", legal_basis="contract"))

    assert added.status_code == 303
    operator = desk(OPERATOR)
    assert "入职" in operator.get("/verify").text
    operator.verify(**ZHANG, purpose="2", consent="")
    stored = verification(app, 1)
    assert (stored.purpose_id, stored.legal_basis, stored.consent) == (2, "contract", False)
    with app.app_context():
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.PURPOSE_ADDED)).one()
        assert record.detail == {"basis": "contract", "reference": False, "reuse": "24/1/1", "active": True}


@pytest.mark.parametrize(
    "fault",
    [{"name_zh": ""}, {"name_en": "x" * 81}, {"legal_basis": "whim"}, {"reuse_match": "-1"}, {"reuse_match": "721"},
     {"reuse_mismatch": "soon"}, {"reuse_no_such_number": ""}, {"name_zh": "办理业务核验身份"}],
    ids=lambda fault: "-".join(fault.items().__iter__().__next__())[:30],
)  # fmt: skip
def test_a_faulty_purpose_is_not_stored(app: Flask, desk: Open, fault: dict[str, str]) -> None:
    page = desk(ADMIN).post("/settings/purposes/new", terms(name_zh="新用途", name_en="New") | fault)

    assert page.status_code == 422
    assert "field-error" in page.text
    with app.app_context():
        assert len(db.session.scalars(select(Purpose)).all()) == 1


def test_a_change_holds_for_what_is_verified_from_now_on(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(**ZHANG)
    desk(ADMIN).post("/settings/purposes/1", terms(legal_basis="legal_duty", active="y"))

    desk(OPERATOR).verify(**ZHANG, consent="", again="yes")

    assert [verification(app, n).legal_basis for n in (1, 2)] == ["consent", "legal_duty"]


def test_a_purpose_out_of_use_cannot_be_chosen_and_one_stays_in_use(desk: Open, sandbox: Sandbox) -> None:
    admin = desk(ADMIN)
    assert admin.post("/settings/purposes/1", terms()).status_code == 422, "the last one"
    admin.post("/settings/purposes/new", terms(name_zh="另一用途", name_en="Another"))

    assert admin.post("/settings/purposes/1", terms()).status_code == 303

    assert desk(OPERATOR).verify(**ZHANG).status_code == 422
    assert sandbox.counts().received == 0


def test_only_admins_see_and_change_purposes(desk: Open) -> None:
    for address in ("/settings/purposes", "/settings/purposes/new", "/settings/purposes/1"):
        assert desk(ADMIN).get(address).status_code == 200
        assert desk(OPERATOR).get(address).status_code == 403
    assert desk(ADMIN).get("/settings/purposes/99").status_code == 404
    assert desk(ADMIN).post("/settings/purposes/99", terms()).status_code == 404


def test_consent_is_asked_for_where_it_is_the_basis_and_only_there(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    assert operator.verify(**ZHANG, consent="").status_code == 422
    assert 'name="consent"' in operator.get("/verify").text

    desk(ADMIN).post("/settings/purposes/1", terms(legal_basis="legal_duty", active="y"))

    assert 'name="consent"' not in operator.get("/verify").text
    assert card_of(operator.verify(**ZHANG, consent="").text) == ("match", "yes")


def test_a_purpose_can_need_a_reference(desk: Open, sandbox: Sandbox) -> None:
    desk(ADMIN).post("/settings/purposes/1", terms(reference_required="y", active="y"))
    operator = desk(OPERATOR)

    refused = operator.verify(**ZHANG)

    assert refused.status_code == 422
    assert 'id="reference-error"' in refused.text
    assert sandbox.counts().received == 0
    assert card_of(operator.verify(**ZHANG, reference="案卷 1").text) == ("match", "yes")


def test_under_fourteen_the_guardian_is_asked_whatever_the_basis(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    page = operator.verify(**CHILD)
    assert (page.status_code, card_of(page.text)) == (422, ("blocked", "no"))
    assert 'name="guardian_consent"' in page.text
    desk(ADMIN).post("/settings/purposes/1", terms(legal_basis="legal_duty", active="y"))
    assert operator.verify(**CHILD).status_code == 422
    assert sandbox.counts().received == 0

    operator.verify(**CHILD, guardian_consent="yes")

    stored = verification(app, 1)
    assert (stored.guardian_consent, stored.consent) == (True, True)


@pytest.mark.parametrize(("days", "asked"), [(13 * 365, True), (14 * 365 - 10, True), (14 * 366 + 1, False)])
def test_the_number_tells_who_is_a_child(desk: Open, sandbox: Sandbox, days: int, asked: bool) -> None:
    page = desk(OPERATOR).verify("演练某人", born(days))

    assert (card_of(page.text)[0] == "blocked") is asked


@pytest.mark.parametrize("child", [False, True], ids=["an adult", "a child"])
def test_a_form_asks_the_person_or_the_guardian_and_keeps_the_other_tick_out_of_it(desk: Open, child: bool) -> None:
    page = desk(OPERATOR).verify(**CHILD if child else ZHANG, consent="").text

    asleep = {name for name in ("consent", "guardian_consent")
              if re.search(rf'<input[^>]*\bdisabled\b[^>]*\bname="{name}"', page)}  # fmt: skip
    hidden = {name for name in ("consent", "guardian_consent")
              if re.search(rf'<div[^>]*data-field="{name}"\s+hidden>', page)}  # fmt: skip
    assert asleep == hidden == ({"consent"} if child else {"guardian_consent"})


def declare(desk: Desk, **change: str) -> int:
    fields = {"purpose": "1", "document": "同意书 2026-11", "hours": "8"} | change
    return desk.post("/verify/declaration", fields).status_code


def test_a_shift_declaration_fills_the_consent_and_is_recorded_with_each_check(
    app: Flask, desk: Open, sandbox: Sandbox
) -> None:
    operator = desk(OPERATOR)
    assert declare(operator) == 303

    assert card_of(operator.verify(**ZHANG, consent="").text) == ("match", "yes")

    stored = verification(app, 1)
    with app.app_context():
        declaration = db.session.scalars(select(ShiftDeclaration)).one()
    assert (stored.consent, stored.declaration_id) == (True, declaration.id)
    assert (declaration.operator_id, declaration.document) == (OPERATOR.id, "同意书 2026-11")
    assert declaration.until - declaration.made_at == timedelta(hours=8)


def test_consent_asked_for_this_very_check_is_recorded_as_such(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    declare(operator)

    operator.verify(**ZHANG)

    assert verification(app, 1).declaration_id is None


def test_a_declaration_is_ones_own_for_its_purpose_and_its_time(desk: Open, sandbox: Sandbox) -> None:
    declare(desk(OPERATOR), hours="8")
    desk(ADMIN).post("/settings/purposes/new", terms(name_zh="另一用途", name_en="Another"))

    assert desk(COLLEAGUE).verify(**ZHANG, consent="").status_code == 422
    assert desk(OPERATOR).verify(**ZHANG, consent="", purpose="2").status_code == 422
    with time_machine.travel(utc_now() + timedelta(hours=8, seconds=5)):
        assert desk(OPERATOR).verify(**ZHANG, consent="").status_code == 422
    assert sandbox.counts().received == 0


def test_a_declaration_never_stands_for_a_guardian(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    declare(operator)

    assert operator.verify(**CHILD, consent="").status_code == 422
    assert sandbox.counts().received == 0


def test_a_declaration_can_be_ended_and_a_new_one_replaces_it(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    declare(operator)
    declare(operator, document="同意书 2")
    assert operator.get("/verify/declaration").text.count("data-declaration") == 1

    operator.post("/verify/declaration/1/end")

    assert operator.verify(**ZHANG, consent="").status_code == 422
    with app.app_context():
        actions = list(db.session.scalars(select(AuditRecord.action).where(AuditRecord.action.like("shift%"))))
    assert sorted(actions) == [Action.SHIFT_DECLARED, Action.SHIFT_DECLARED, Action.SHIFT_ENDED]


@pytest.mark.parametrize("fault", [{"document": ""}, {"hours": "13"}, {"hours": "0"}, {"purpose": "99"}])
def test_a_faulty_declaration_is_not_made(app: Flask, desk: Open, fault: dict[str, str]) -> None:
    assert declare(desk(OPERATOR), **fault) == 422
    with app.app_context():
        assert db.session.scalars(select(ShiftDeclaration)).all() == []
