"""A stop as the desk and every page show it; the sandbox says what the vendor says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member, card_of
from tests.verification.calls import differences, outcomes, somebody
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.vendor import circuit
from webapp.vendor.sandbox.answers import Asked
from webapp.vendor.sandbox.scenarios import SCENARIOS
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.models import Identity

Open = Callable[[Member | None], Desk]
NUMBER = "100101199003080023"
ASKED = Asked("演练", NUMBER, date(2026, 3, 1))


def scenario(code: str) -> str:
    """The name that makes the sandbox answer with this code."""
    return next(one.name for one in SCENARIOS if one.answer and not one.first and one.answer(ASKED).code == code)


def stopped(page: str) -> str:
    """The code of the banner's cause, empty where there is no banner."""
    found = re.search(r'data-stopped="([^"]*)"', page)
    return found[1] if found else ""


def test_a_refusal_that_says_stop_is_recorded_unbilled_and_stops_everybody_else(
    app: Flask, desk: Open, sandbox: Sandbox
) -> None:
    operator, colleague = desk(OPERATOR), desk(COLLEAGUE)
    assert card_of(operator.verify(scenario("B403MQ"), NUMBER).text) == ("refused", "no")

    page = colleague.verify(*somebody(1))

    assert page.status_code == 409
    assert card_of(page.text) == ("blocked", "no")
    assert sandbox.counts().received == 1
    assert outcomes(app) == {("refused", "no", "quota_exhausted"): 1}
    assert differences(app) == []


def test_who_is_refused_is_told_and_nothing_personal_of_it_is_kept(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(scenario("B403MQ"), NUMBER)

    desk(COLLEAGUE).verify(*somebody(1))

    with app.app_context():
        assert len(db.session.scalars(select(Identity)).all()) == 1
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.VERIFICATION_BLOCKED)).one()
        assert record.detail == {"why": "stop quota_exhausted"}


@pytest.mark.parametrize("member", [ADMIN, OPERATOR, AUDITOR])
def test_every_page_names_the_stop_and_only_admins_can_let_a_call_through(
    desk: Open, sandbox: Sandbox, member: Member
) -> None:
    desk(OPERATOR).verify(scenario("B403MQ"), NUMBER)

    for address in ("/", "/history", "/quota", "/profile"):
        page = desk(member).get(address).text
        assert stopped(page) == "quota_exhausted"
        assert ('action="/calls/probe"' in page) is (member is ADMIN)


LOT, APPCODE, RELEASE = "登记套餐包", "更换 AppCode", "放行"


@pytest.mark.parametrize(
    ("code", "released_by", "not_by"),
    [
        ("B403MQ", LOT, APPCODE),
        ("B403ME", LOT, APPCODE),
        ("A401AC", APPCODE, LOT),
        ("I403AA", APPCODE, LOT),
        ("A403EP", RELEASE, LOT),
        ("A403IP", RELEASE, LOT),
        ("I404NF", RELEASE, LOT),
    ],
)
def test_a_stop_says_only_what_mends_its_own_cause(
    desk: Open, sandbox: Sandbox, code: str, released_by: str, not_by: str
) -> None:
    desk(OPERATOR).verify(scenario(code), NUMBER)

    for page in (desk(COLLEAGUE).get("/"), desk(COLLEAGUE).verify(*somebody(1))):
        told = said(page.text)
        assert released_by in told
        assert RELEASE in told
        assert not_by not in told


def test_once_a_trial_is_due_nothing_else_is_told_to_be_done(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(scenario("0010"), NUMBER)
    assert "无需处理" in said(desk(COLLEAGUE).get("/").text)

    desk(ADMIN).post("/calls/probe")

    told = said(desk(COLLEAGUE).get("/").text)
    assert "下一次核验将作为试调发出" in told
    assert "无需处理" not in told


def said(page: str) -> str:
    """What the banner says, without its markup."""
    return re.sub(r"<[^>]*>", "", page.split("data-stopped")[1].split("</section>")[0])


def test_a_banner_says_until_when(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(scenario("0010"), NUMBER)

    page = desk(COLLEAGUE).get("/").text

    assert stopped(page) == "maintenance"
    banner = page.split("data-stopped")[1].split("</section>")[0]
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", banner)


def test_the_card_of_a_stop_names_the_cause_and_then_what_to_do_and_when(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(scenario("0010"), NUMBER)

    page = desk(COLLEAGUE).verify(*somebody(1)).text

    card = page.split('class="result-title"')[1]
    assert card.split(">")[1].startswith("未提交：已暂停调用：服务商维护中。<")
    advice = re.search(r'class="result-advice">([^<]*)<', card)
    assert advice is not None
    assert re.fullmatch(r"无需处理：.+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d 起可再试。", advice[1])


@pytest.mark.parametrize(("code", "seconds"), [("0010", 60), ("D503CB", 90), ("X503BZ", 90)])
def test_when_the_time_is_over_the_next_submission_is_the_probe_and_its_answer_ends_the_stop(
    app: Flask, desk: Open, sandbox: Sandbox, code: str, seconds: int
) -> None:
    begun = utc_now()
    desk(OPERATOR).verify(scenario(code), NUMBER)
    received, ended = sandbox.counts().received, utc_now()
    with app.app_context():
        stop = circuit.present(ended)
    assert stop is not None
    assert stop.until is not None
    assert begun <= stop.until - timedelta(seconds=seconds) <= ended

    with time_machine.travel(stop.until - timedelta(seconds=30)):
        assert card_of(desk(OPERATOR).verify("张三", "11010519491231002X").text)[0] == "blocked"
    with time_machine.travel(stop.until + timedelta(seconds=1)):
        assert card_of(desk(OPERATOR).verify("张三", "11010519491231002X").text) == ("match", "yes")
        assert stopped(desk(OPERATOR).get("/").text) == ""

    assert sandbox.counts().received == received + 1
    assert differences(app) == []


def test_an_admin_lets_one_call_through_and_the_trail_knows_who(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(scenario("A401AC"), NUMBER)
    assert desk(OPERATOR).post("/calls/probe").status_code == 403

    assert desk(ADMIN).post("/calls/probe").status_code == 303

    assert card_of(desk(COLLEAGUE).verify("张三", "11010519491231002X").text) == ("match", "yes")
    assert stopped(desk(ADMIN).get("/").text) == ""
    with app.app_context():
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.PROBE_ASKED)).one()
        assert (record.actor_id, record.detail) == (ADMIN.id, {"cause": "appcode_invalid"})
        actions = set(db.session.scalars(select(AuditRecord.action)))
        assert {Action.CALLS_STOPPED, Action.CALLS_RESUMED} <= actions


def test_a_recorded_lot_lets_the_next_call_through(desk: Open, sandbox: Sandbox) -> None:
    desk(OPERATOR).verify(scenario("B403MQ"), NUMBER)

    desk(ADMIN).record_lot(1000)

    assert card_of(desk(OPERATOR).verify("张三", "11010519491231002X").text) == ("match", "yes")


def test_a_new_appcode_lets_the_next_call_through(desk: Open, sandbox: Sandbox, make_app: Callable[..., Flask]) -> None:
    app = make_app(APPCODE="")
    Desk(app, OPERATOR).verify(scenario("A401AC"), NUMBER)

    assert Desk(app, ADMIN).post("/settings", {"appcode": "another-appcode"}).status_code == 303

    assert card_of(Desk(app, OPERATOR).verify("张三", "11010519491231002X").text) == ("match", "yes")


def test_a_refused_probe_stops_everybody_again(desk: Open, sandbox: Sandbox) -> None:
    used_up = scenario("B403MQ")
    desk(OPERATOR).verify(used_up, NUMBER)
    desk(ADMIN).post("/calls/probe")
    assert card_of(desk(OPERATOR).verify(used_up, NUMBER).text) == ("refused", "no")

    assert card_of(desk(OPERATOR).verify(used_up, NUMBER).text) == ("blocked", "no")
    assert sandbox.counts().received == 2


def test_a_recent_result_is_shown_even_while_calls_are_stopped(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify("张三", "11010519491231002X")
    operator.verify(scenario("B403MQ"), NUMBER)

    assert card_of(operator.verify("张三", "11010519491231002X").text) == ("reused", "no")
