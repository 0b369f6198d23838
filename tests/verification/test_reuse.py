"""No call for nothing: a recent result about the same person for the same purpose is shown instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member, attribute, card_of
from tests.verification.calls import UNKNOWN, ask, buy, differences
from tests.verification.test_desk_page import value_of
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import identities, references, reuse
from webapp.verification.models import Identity, IdentityIndex, ReuseReference

Open = Callable[[Member | None], Desk]
ZHANG = ("张三", "11010519491231002X")
MISMATCH = ("李四", "11010519491231002X")
NOBODY = ("张三", "100101199003080023")


def later(**time: float) -> time_machine.travel:
    return time_machine.travel(utc_now() + timedelta(**time), tick=True)


def test_the_same_question_again_shows_the_recent_result_and_spends_nothing(
    app: Flask, desk: Open, sandbox: Sandbox
) -> None:
    desk(OPERATOR).verify(*ZHANG)
    with later(hours=3):
        page = desk(OPERATOR).verify(*ZHANG)

    assert page.status_code == 200
    assert card_of(page.text) == ("reused", "no")
    assert "沿用 3 小时前的结果" in page.text
    assert 'href="/verifications/1" data-original' in page.text
    assert sandbox.counts().received == 1
    assert differences(app) == []


@pytest.mark.parametrize(("person", "hours"), [(ZHANG, 24), (MISMATCH, 1)], ids=["match", "mismatch"])
def test_a_result_stands_as_long_as_its_purpose_says(
    desk: Open, sandbox: Sandbox, person: tuple[str, str], hours: int
) -> None:
    operator = desk(OPERATOR)
    operator.verify(*person)

    with later(hours=hours, minutes=-1):
        assert card_of(desk(OPERATOR).verify(*person).text)[0] == "reused"
    with later(hours=hours, minutes=1):
        assert card_of(desk(OPERATOR).verify(*person).text)[0] in ("match", "mismatch")
    assert sandbox.counts().received == 2


def test_again_spends_a_call_though_a_recent_result_exists(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)

    page = operator.verify(*ZHANG, again="yes")

    assert card_of(page.text) == ("match", "yes")
    assert sandbox.counts().received == 2


def test_the_reused_results_own_button_asks_again(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    fields = again_form(operator.verify(*ZHANG).text)

    answer = operator.client.post("/verify", data=fields, follow_redirects=True)

    assert fields["again"] == "yes"
    assert card_of(answer.text) == ("match", "yes")
    assert sandbox.counts().received == 2


def test_a_colleague_sees_outcome_and_age_only(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(*ZHANG, reference="案卷 77")

    page = desk(COLLEAGUE).verify(*ZHANG).text

    assert card_of(page) == ("reused", "no")
    assert "信息匹配" in page
    card = page.split("data-result")[1].split("</section>")[0]
    for hidden in ("乙核验", "案卷", "北京市", "前台"):
        assert hidden not in card
    assert "/verifications/1" not in page


@pytest.mark.parametrize(("member", "status"), [(OPERATOR, 200), (ADMIN, 200), (AUDITOR, 200), (COLLEAGUE, 404)])
def test_a_reuse_is_open_to_who_asked_to_admins_and_to_auditors(desk: Open, member: Member, status: int) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    operator.verify(*ZHANG)

    page = desk(member).get("/reuses/1")

    assert page.status_code == status
    assert ("张三" in page.text) is (member is OPERATOR)
    assert ('name="again"' in page.text) is (member is OPERATOR)


def test_after_ten_minutes_the_person_is_masked_and_cannot_be_asked_about_from_there(desk: Open) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    operator.verify(*ZHANG)

    with later(minutes=11):
        page = desk(OPERATOR).get("/reuses/1").text

    assert "张三" not in page
    assert 'name="again"' not in page


@pytest.mark.parametrize(
    "other",
    [{"name": "李演"}, {"id_number": "440524188001010014"}, {"purpose": "2"}],
    ids=["name", "number", "purpose"],
)
def test_another_name_number_or_purpose_is_another_question(
    desk: Open, sandbox: Sandbox, other: dict[str, str]
) -> None:
    desk(ADMIN).post("/settings/purposes/new", terms(name_zh="另一用途", name_en="Another"))
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    fields = {"name": ZHANG[0], "id_number": ZHANG[1]} | other

    page = operator.verify(**fields)

    assert card_of(page.text)[0] != "reused"
    assert sandbox.counts().received == 2


def test_with_the_window_off_every_question_is_a_call(desk: Open, sandbox: Sandbox) -> None:
    admin = desk(ADMIN)
    admin.post("/settings/purposes/1", terms(reuse_match="0", active="y"))
    operator = desk(OPERATOR)

    for _ in range(2):
        assert card_of(operator.verify(*ZHANG).text) == ("match", "yes")

    assert sandbox.counts().received == 2


@pytest.mark.parametrize("window", ["0", "1", "24"])
@pytest.mark.parametrize("hours", [0, 2, 30, 24 * 365])
def test_a_call_whose_charge_nobody_knows_holds_a_new_one_back_whatever_the_windows_and_the_time(
    app: Flask, desk: Open, sandbox: Sandbox, window: str, hours: int
) -> None:
    desk(ADMIN).post("/settings/purposes/1", terms(reuse_match=window, reuse_mismatch=window, active="y"))
    ask(app, ZHANG, lambda _name, _number: UNKNOWN)

    with later(hours=hours):
        page = desk(OPERATOR).verify(*ZHANG)
        assert (page.status_code, card_of(page.text)) == (409, ("blocked", "no"))
        assert 'name="again"' in page.text
        assert sandbox.counts().received == 0
        assert card_of(desk(OPERATOR).verify(*ZHANG, again="yes").text) == ("match", "yes")


@pytest.mark.parametrize("decision", ["charged", "not_charged", "ask_again"])
def test_what_an_admin_has_decided_holds_nobody_back(app: Flask, desk: Open, sandbox: Sandbox, decision: str) -> None:
    desk(ADMIN).post("/settings/purposes/1", terms(reuse_match="0", active="y"))
    made = ask(app, ZHANG, lambda _name, _number: UNKNOWN)

    desk(ADMIN).post(f"/unknowns/{made}/settle", {"decision": decision, "reason": "账单第 3 行"})

    assert card_of(desk(OPERATOR).verify(*ZHANG).text) == ("match", "yes")


def test_each_unknown_call_holds_back_until_it_is_settled_itself(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    first, second = (ask(app, ZHANG, lambda _name, _number: UNKNOWN) for _ in range(2))
    admin, operator = desk(ADMIN), desk(OPERATOR)

    admin.post(f"/unknowns/{second}/settle", {"decision": "ask_again", "reason": "账单第 3 行"})
    assert operator.verify(*ZHANG).status_code == 409

    admin.post(f"/unknowns/{first}/settle", {"decision": "not_charged", "reason": "账单第 3 行"})
    assert card_of(operator.verify(*ZHANG).text) == ("match", "yes")


def test_an_unknown_call_for_another_purpose_holds_nothing_back(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    desk(ADMIN).post("/settings/purposes/new", terms(name_zh="另一用途", name_en="Another"))
    ask(app, ZHANG, lambda _name, _number: UNKNOWN)

    assert card_of(desk(OPERATOR).verify(*ZHANG, purpose="2").text) == ("match", "yes")


def test_the_reference_of_this_question_stands_on_the_card_and_is_kept_with_it(
    app: Flask, desk: Open, sandbox: Sandbox
) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG, reference="CASE-A1")

    page = operator.verify(*ZHANG, reference="CASE-B2").text

    assert card_of(page) == ("reused", "no")
    asked, answered = page.split("data-asked")[1].split("</section>")[0].split("data-copy-label")
    assert "CASE-B2" in asked
    assert "CASE-A1" not in asked
    assert "CASE-A1" in answered, "whose the original is"
    with app.app_context():
        row = db.session.scalars(select(ReuseReference)).one()
        sealer = this_instance().sealer
        assert references.read(1, sealer) == "CASE-B2"
        assert row.blind in sealer.indexes("reference", "CASE-B2"), "found as any other reference"
        assert b"CASE-B2" not in row.sealed
        own = select(IdentityIndex.blind).where(IdentityIndex.kind == "reference")
        assert db.session.scalars(own).all() == sealer.indexes("reference", "CASE-A1")


def test_a_colleague_sees_their_own_reference_and_not_the_originals(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(*ZHANG, reference="CASE-A1")

    page = desk(COLLEAGUE).verify(*ZHANG, reference="CASE-B2").text

    assert "CASE-B2" in page
    assert "CASE-A1" not in page


def test_a_reference_is_read_for_ten_minutes_like_the_person(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    assert "CASE-B2" in operator.verify(*ZHANG, reference="CASE-B2").text

    assert "CASE-B2" not in desk(AUDITOR).get("/reuses/1").text
    with later(minutes=11):
        assert "CASE-B2" not in desk(OPERATOR).get("/reuses/1").text


def test_what_destroys_the_identity_destroys_the_reference_too(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    operator.verify(*ZHANG, reference="CASE-B2")

    with app.app_context(), transaction() as session:
        session.execute(delete(IdentityIndex))
        session.execute(delete(Identity))

    with app.app_context():
        assert db.session.scalars(select(ReuseReference)).all() == []
    page = operator.get("/reuses/1")
    assert page.status_code == 200
    assert "CASE-B2" not in page.text
    assert differences(app) == []


def test_without_a_reference_none_is_kept(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    operator.verify(*ZHANG)

    with app.app_context():
        assert db.session.scalars(select(ReuseReference)).all() == []


def test_asking_again_takes_the_reference_of_this_question_along(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG, reference="CASE-A1")

    page = operator.verify(*ZHANG, reference="CASE-B2").text

    operator.client.post("/verify", data=again_form(page))
    with app.app_context():
        person = identities.open_person(2, this_instance().sealer)
        assert person is not None
        assert person.reference == "CASE-B2"


def test_a_reused_mismatch_comes_back_into_the_form_to_be_mended(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(*MISMATCH, reference="CASE-A1")
    colleague = desk(COLLEAGUE)
    page = colleague.verify(*MISMATCH, reference="CASE-B2").text
    assert card_of(page) == ("reused", "no")
    assert attribute(page, "data-original") == "mismatch"
    assert 'action="/reuses/1/edit"' in page

    form = colleague.get("/reuses/1/edit").text

    assert tuple(value_of(form, field) for field in ("name", "id_number", "reference")) == (*MISMATCH, "CASE-B2")
    assert not re.search(r'<input[^>]*name="consent"[^>]*\bchecked', form)
    sent = {"form_token": value_of(form, "form_token"), "reference": "CASE-B2"}
    assert card_of(colleague.verify("张三", MISMATCH[1], **sent).text) == ("match", "yes")
    assert sandbox.counts().received == 2


def test_a_reused_match_is_not_offered_to_be_mended(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)

    assert "/reuses/1/edit" not in operator.verify(*ZHANG).text


@pytest.mark.parametrize(("member", "status"), [(COLLEAGUE, 404), (AUDITOR, 403), (ADMIN, 303)])
def test_what_somebody_else_was_shown_again_is_not_filled_in(desk: Open, member: Member, status: int) -> None:
    operator = desk(OPERATOR)
    operator.verify(*MISMATCH)
    operator.verify(*MISMATCH)

    visitor = desk(member)
    for answer in (visitor.get("/reuses/1/edit"), visitor.post("/reuses/1/edit")):
        assert answer.status_code == status
        assert MISMATCH[1] not in answer.text


def test_after_ten_minutes_a_reused_mismatch_is_not_filled_in(desk: Open) -> None:
    operator = desk(OPERATOR)
    operator.verify(*MISMATCH)
    operator.verify(*MISMATCH)
    assert operator.post("/reuses/1/edit").location == "/reuses/1/edit"

    with later(minutes=11):
        late = desk(OPERATOR)
        assert "/reuses/1/edit" not in late.get("/reuses/1").text
        answer = late.get("/reuses/1/edit", follow_redirects=True)
    assert answer.request.path == "/verify"
    assert MISMATCH[1] not in answer.text


def test_a_call_whose_charge_nobody_knows_is_asked_for_by_the_tick_alone(
    app: Flask, desk: Open, sandbox: Sandbox
) -> None:
    ask(app, ZHANG, lambda _name, _number: UNKNOWN)
    operator = desk(OPERATOR)

    page = operator.verify(*ZHANG)

    assert page.status_code == 409
    assert card_of(page.text) == ("blocked", "no")
    assert 'name="again"' in page.text
    assert sandbox.counts().received == 0
    assert card_of(operator.verify(*ZHANG, again="yes").text) == ("match", "yes")


def test_saved_calls_are_counted_at_the_price_of_the_lot_they_would_have_come_from(
    app: Flask, desk: Open, sandbox: Sandbox
) -> None:
    desk(ADMIN).record_lot(1000, price="30")
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    operator.verify(*ZHANG)
    desk(COLLEAGUE).verify(*ZHANG)

    with app.app_context():
        assert reuse.saved(utc_now() - timedelta(days=30)) == reuse.Saved(2, 6)
        assert reuse.saved(utc_now() + timedelta(days=1)) == reuse.Saved(0, 0)
    dashboard = desk(ADMIN).get("/").text
    assert attribute(dashboard, "data-saved") == "2"
    assert "¥0.06" in dashboard


def test_a_reuse_holds_and_charges_nothing(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    lot = buy(app, 10)
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    operator.verify(*ZHANG)

    page = operator.get("/").text
    assert attribute(page, "data-remaining") == "9"
    assert lot
    assert differences(app) == []


def again_form(page: str) -> dict[str, str]:
    """The fields of a reused result's own button."""
    form = page.split('<form method="post" action="/verify"')[1].split("</form>")[0]
    return {attribute(field, "name"): attribute(field, "value") for field in form.split("<input")[1:]}


def terms(**change: str) -> dict[str, str]:
    """The fields of a purpose's form."""
    return {
        "name_zh": "办理业务核验身份", "name_en": "Identity check for a service", "legal_basis": "consent",
        "reuse_match": "24", "reuse_mismatch": "1", "reuse_no_such_number": "1",
    } | change  # fmt: skip
