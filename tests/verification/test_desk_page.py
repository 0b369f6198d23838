"""The desk's page from the server: what it offers to confirm, to mend and to practise, with or without a script."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member, attribute, card_of
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.persons import regions
from webapp.vendor.sandbox.server import Sandbox

Come = Callable[[Member | None], Desk]
NAME, NUMBER = "陈小满", "100101199003080023"
FIFTEEN, EIGHTEEN = "110105491231002", "11010519491231002X"
LOST, LOST_NAME = "400402198601062000", "许整"


def value_of(page: str, field: str) -> str:
    found = re.search(rf'<input[^>]*\bname="{field}"[^>]*>', page)
    assert found is not None
    return html.unescape(attribute(found[0], "value"))


def test_fifteen_digits_come_back_as_eighteen_to_be_confirmed(desk: Come, sandbox: Sandbox) -> None:
    page = desk(OPERATOR).verify("张三", FIFTEEN).text
    assert card_of(page) == ("blocked", "no")
    assert (value_of(page, "name"), value_of(page, "id_number")) == ("张三", EIGHTEEN)
    assert sandbox.counts().received == 0
    assert card_of(desk(OPERATOR).verify("张三", value_of(page, "id_number")).text) == ("match", "yes")


def test_a_number_that_ends_in_000_is_sent_only_with_its_own_tick(desk: Come, sandbox: Sandbox) -> None:
    clerk = desk(OPERATOR)
    for confirmed in ({}, {"confirmed": "yes"}, {"confirmed": NUMBER}):
        page = clerk.verify(LOST_NAME, LOST, **confirmed).text
        assert card_of(page) == ("blocked", "no")
        assert value_of(page, "confirmed") == LOST
    assert sandbox.counts().received == 0
    assert card_of(clerk.verify(LOST_NAME, LOST, confirmed=LOST).text) == ("match", "yes")


def test_a_number_that_a_spreadsheet_destroyed_is_named_as_such(desk: Come) -> None:
    for number in ("110105194912310000", "1.10105E+17"):
        page = desk(OPERATOR).verify("张三", number).text
        assert card_of(page) == ("blocked", "no")
        assert "spreadsheet" in page or "电子表格" in page


def test_one_s_own_mismatch_comes_back_into_the_form_while_it_is_readable(desk: Come) -> None:
    clerk = desk(OPERATOR)
    page = clerk.verify("林小满", NUMBER, reference="A-7").text
    assert card_of(page)[0] == "mismatch"
    assert 'action="/verifications/1/edit"' in page
    form = clerk.get("/verifications/1/edit").text
    assert (value_of(form, "name"), value_of(form, "id_number")) == ("林小满", NUMBER)
    assert value_of(form, "reference") == "A-7"
    assert not re.search(r'<input[^>]*name="consent"[^>]*\bchecked', form)
    assert card_of(clerk.verify(NAME, NUMBER).text)[0] == "match"


def test_after_ten_minutes_nothing_comes_back(desk: Come) -> None:
    clerk = desk(OPERATOR)
    clerk.verify("林小满", NUMBER)
    with time_machine.travel(utc_now() + timedelta(minutes=10, seconds=5)):
        late = desk(OPERATOR)
        assert "/verifications/1/edit" not in late.get("/verifications/1").text
        answer = late.get("/verifications/1/edit", follow_redirects=True)
        assert answer.request.path == "/verify"
        assert value_of(answer.text, "name") == value_of(answer.text, "id_number") == ""


def test_another_language_keeps_the_form_that_is_being_mended(desk: Come) -> None:
    clerk = desk(OPERATOR)
    clerk.verify("林小满", NUMBER)
    led = clerk.post("/verifications/1/edit")
    assert (led.status_code, led.location) == (303, "/verifications/1/edit")
    address = attribute(clerk.get(led.location).text, 'name="next" value').partition("?")[0]

    answer = clerk.post("/preferences", {"locale": "en", "theme": "dark", "next": address}, follow_redirects=True)

    assert (answer.status_code, answer.request.path) == (200, "/verifications/1/edit")
    assert (value_of(answer.text, "name"), value_of(answer.text, "id_number")) == ("林小满", NUMBER)


def test_every_look_at_a_form_to_be_mended_is_recorded(desk: Come, app: Flask) -> None:
    clerk = desk(OPERATOR)
    clerk.verify("林小满", NUMBER)
    for _look in range(2):
        clerk.get("/verifications/1/edit")
    with app.app_context():
        viewed = select(AuditRecord).where(AuditRecord.action == Action.VERIFICATION_VIEWED)
        assert [record.detail["full"] for record in db.session.scalars(viewed)] == [True] * 3, "the result, and twice"


def test_back_and_reload_after_an_edit_spend_nothing_more(desk: Come, sandbox: Sandbox) -> None:
    clerk = desk(OPERATOR)
    clerk.verify("林小满", NUMBER)
    form = clerk.get("/verifications/1/edit").text
    reloaded = clerk.get("/verifications/1/edit").text
    sent = {"form_token": value_of(form, "form_token")}
    assert value_of(reloaded, "form_token") not in ("", sent["form_token"]), "a reload is a form of its own"

    first = clerk.verify(NAME, NUMBER, **sent)
    again = clerk.verify(NAME, NUMBER, **sent)
    assert card_of(first.text)[0] == "match"
    assert again.request.path == first.request.path == "/verifications/2"

    back = clerk.verify("林小满", NUMBER, **sent)
    assert (back.status_code, card_of(back.text)) == (409, ("blocked", "no"))
    assert card_of(clerk.verify(NAME, NUMBER, form_token=value_of(reloaded, "form_token")).text)[0] == "reused"
    assert sandbox.counts().received == 2


@pytest.mark.parametrize(("member", "status"), [(COLLEAGUE, 404), (AUDITOR, 403), (ADMIN, 303)])
def test_a_check_of_somebody_else_is_not_filled_in(member: Member, status: int, desk: Come) -> None:
    desk(OPERATOR).verify("林小满", NUMBER)
    visitor = desk(member)
    for answer in (visitor.get("/verifications/1/edit"), visitor.post("/verifications/1/edit")):
        assert answer.status_code == status
        assert NUMBER not in answer.text


def test_the_page_hands_its_script_texts_in_the_reader_s_language(desk: Come) -> None:
    for language, text in (("zh", "请输入姓名。"), ("en", "Enter the name.")):
        page = desk(OPERATOR).get("/verify", headers={"Accept-Language": language}).text
        found = re.search(r'<script type="application/json" data-desk-texts>(.*?)</script>', page, re.DOTALL)
        assert found is not None
        assert json.loads(found[1])["name"]["faults"]["empty"] == text


def test_the_table_of_regions_is_kept_by_browsers_and_open_to_the_desk_only(desk: Come, app: Flask) -> None:
    address = f"/verify/regions/{regions.RELEASE}"
    clerk = desk(OPERATOR)
    assert address in clerk.get("/verify").text
    zipped = clerk.get(address, headers={"Accept-Encoding": "gzip"})
    plain = clerk.get(address, headers={"Accept-Encoding": "identity"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "immutable" in zipped.headers["Cache-Control"]
    assert gzip.decompress(zipped.data) == plain.data
    assert "朝阳区" in plain.data.decode(regions.ENCODING)
    assert clerk.get("/verify/regions/1999").status_code == 404
    assert desk(AUDITOR).get(address).status_code == 403
