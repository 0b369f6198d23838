"""One-time forms: sent twice they spend once; forged, foreign or used for something else they spend nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.conftest import MakeApp
from tests.support.cast import ADMIN, COLLEAGUE, OPERATOR, Desk, Member, attribute, card_of
from tests.support.waiting import until
from tests.vendor.scripted import MATCH as MATCH_BYTES
from tests.vendor.scripted import ScriptedVendor, Turn
from tests.verification.calls import differences, outcomes, somebody
from tests.verification.test_reuse import terms
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import tokens
from webapp.verification.models import SpentForm

Open = Callable[[Member | None], Desk]
ZHANG = ("张三", "11010519491231002X")


def token(desk: Desk, page: str = "/verify") -> str:
    """The one-time token of a fresh form."""
    found = re.search(r'<input[^>]*name="form_token"[^>]*>', desk.get(page).text)
    assert found is not None
    return attribute(found[0], "value")


@pytest.fixture
def operator(desk: Open) -> Desk:
    """A desk at which nothing is reused, so that only the token protects."""
    desk(ADMIN).post("/settings/purposes/1", terms(reuse_match="0", reuse_mismatch="0", active="y"))
    return desk(OPERATOR)


def test_a_form_with_its_token_is_a_call(operator: Desk, sandbox: Sandbox) -> None:
    assert card_of(operator.verify(*ZHANG, form_token=token(operator)).text) == ("match", "yes")
    assert sandbox.counts().received == 1


def test_the_same_form_again_leads_to_what_came_of_the_first(app: Flask, operator: Desk, sandbox: Sandbox) -> None:
    sent = token(operator)
    first = operator.verify(*ZHANG, form_token=sent)

    for _ in range(3):
        again = operator.verify(*ZHANG, form_token=sent)
        assert again.request.path == first.request.path == "/verifications/1"

    assert sandbox.counts().received == 1
    assert differences(app) == []


def test_a_double_click_sends_once(make_app: MakeApp) -> None:
    received, go = [], threading.Event()

    def vendor(turn: Turn) -> bool:
        received.append(1)
        assert go.wait(30)
        turn.send(MATCH_BYTES)
        return True

    with ScriptedVendor(vendor) as running:
        app = make_app(VENDOR_URL=running.url)
        operator = Desk(app, OPERATOR)
        sent = token(operator)
        answers: list[str] = []
        first = threading.Thread(
            target=lambda: answers.append(Desk(app, OPERATOR).verify(*ZHANG, form_token=sent).text)
        )
        first.start()
        until(lambda: received, "the vendor has the call")
        second = operator.verify(*ZHANG, form_token=sent)
        go.set()
        first.join()

    assert card_of(second.text) == ("sending", "unknown")
    assert card_of(answers[0]) == ("match", "yes")
    assert len(received) == 1


def test_a_form_that_showed_a_recent_result_is_spent_too(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(*ZHANG)
    sent = token(operator)

    pages = [operator.verify(*ZHANG, form_token=sent).request.path for _ in range(3)]

    assert pages == ["/reuses/1"] * 3, "and the saved call is counted once"


def test_the_back_button_and_another_person_need_a_look_first(operator: Desk, sandbox: Sandbox) -> None:
    sent = token(operator)
    operator.verify(*ZHANG, form_token=sent)

    page = operator.verify(*somebody(1), form_token=sent)

    assert page.status_code == 409
    assert card_of(page.text) == ("blocked", "no")
    assert somebody(1)[1] in page.text, "what was typed is still there"
    assert sandbox.counts().received == 1
    fresh = attribute(re.findall(r'<input[^>]*name="form_token"[^>]*>', page.text)[0], "value")
    assert card_of(operator.verify(*somebody(1), form_token=fresh).text)[1] == "yes"


@pytest.mark.parametrize("change", [{"again": "yes"}, {"reference": "案卷 9"}])
def test_a_token_is_bound_to_everything_that_was_asked(
    operator: Desk, sandbox: Sandbox, change: dict[str, str]
) -> None:
    sent = token(operator)
    operator.verify(*ZHANG, form_token=sent)

    assert operator.verify(*ZHANG, form_token=sent, **change).status_code == 409
    assert sandbox.counts().received == 1


def broken(genuine: str) -> list[str]:
    head, _dot, tail = genuine.rpartition(".")
    return [
        "x",
        "…",
        "\0",
        "a" * 10_000,
        genuine[:-1],
        head,
        tail,
        genuine + "x",
        genuine[::-1],
        f"{head}.{tail[::-1]}",
    ]


def test_forged_tokens_are_refused_with_a_clear_page_and_no_call(app: Flask, operator: Desk, sandbox: Sandbox) -> None:
    for forged in broken(token(operator)):
        page = operator.verify(*ZHANG, form_token=forged)
        assert page.status_code == 400, forged
        assert card_of(page.text) == ("blocked", "no")
    assert sandbox.counts().received == 0
    assert outcomes(app) == {}


def test_a_colleagues_token_is_refused(desk: Open, sandbox: Sandbox) -> None:
    page = desk(COLLEAGUE).verify(*ZHANG, form_token=token(desk(OPERATOR)))

    assert page.status_code == 400
    assert sandbox.counts().received == 0


def test_a_token_lasts_a_day(operator: Desk, desk: Open, sandbox: Sandbox) -> None:
    sent = token(operator)

    with time_machine.travel(utc_now() + timedelta(hours=25)):
        page = desk(OPERATOR).verify(*ZHANG, form_token=sent)

    assert page.status_code == 409
    assert card_of(page.text) == ("blocked", "no")
    assert sandbox.counts().received == 0


def test_what_the_local_check_refuses_spends_no_form(operator: Desk, sandbox: Sandbox) -> None:
    sent = token(operator)
    operator.verify("张三", "110105194912310021", form_token=sent)

    assert card_of(operator.verify(*ZHANG, form_token=sent).text) == ("match", "yes")


def test_a_script_without_a_token_still_works(operator: Desk, sandbox: Sandbox) -> None:
    for _ in range(2):
        assert card_of(operator.verify(*ZHANG).text) == ("match", "yes")
    assert sandbox.counts().received == 2


def test_spent_forms_are_forgotten_when_no_token_can_name_them(app: Flask, operator: Desk, sandbox: Sandbox) -> None:
    operator.verify(*ZHANG, form_token=token(operator))

    with app.app_context():
        tokens.forget_spent(utc_now() + timedelta(hours=47))
        assert db.session.query(SpentForm).count() == 1
        tokens.forget_spent(utc_now() + timedelta(hours=49))
        assert db.session.query(SpentForm).count() == 0
