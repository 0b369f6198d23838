"""A result is read in full for ten minutes by who asked; whatever else is shown never gives a number back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member
from tests.verification.calls import ask, somebody
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db
from webapp.vendor.sandbox.people import PEOPLE, Person

Open = Callable[[Member | None], Desk]
NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)
ADULTS = [person for person in PEOPLE if person.number[6:10] < "2010" and not person.number.endswith("000")]


def card_text(page: str) -> str:
    """What the result card says, without the times, ids and codes that are its own."""
    card = page.split("data-result", 1)[1].split("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", card.partition(">")[2]))


def test_who_asked_reads_the_result_in_full_for_ten_minutes(desk: Open) -> None:
    name, number = "张三", "11010519491231002X"
    with time_machine.travel(NOON, tick=False) as clock:
        operator = desk(OPERATOR)
        operator.verify(name, number, reference="案卷 42")
        for passed in (timedelta(0), TEN_MINUTES - timedelta(seconds=1)):
            clock.move_to(NOON + passed)
            said = card_text(operator.get("/verifications/1").text)
            assert all(part in said for part in (name, "110105 19491231 002X", "1949-12-31", "案卷 42"))

        clock.move_to(NOON + TEN_MINUTES)

        said = card_text(operator.get("/verifications/1").text)
        assert "张*" in said
        assert "1****************X" in said
        assert not any(part in said for part in (name, "110105", "19491231", "1949-12-31", "002X", "案卷"))


@pytest.mark.parametrize("member", [ADMIN, AUDITOR])
def test_admins_and_auditors_never_read_a_colleagues_result_in_full(desk: Open, member: Member) -> None:
    desk(OPERATOR).verify("张三", "11010519491231002X")

    page = desk(member).get("/verifications/1").text

    assert "张三" not in page
    assert "11010519491231002X" not in page.replace(" ", "")
    assert "张*" in card_text(page)


def test_an_operator_sees_no_colleagues_result_not_even_masked(desk: Open) -> None:
    desk(OPERATOR).verify("张三", "11010519491231002X")

    assert desk(COLLEAGUE).get("/verifications/1").status_code == 404
    assert desk(COLLEAGUE).get("/verifications/2").status_code == 404


def test_a_masked_card_never_shows_enough_to_rebuild_a_number(
    desk: Open, app: Flask, subtests: pytest.Subtests
) -> None:
    """18 characters from 1 first, 1 last and the province leave the city, the birth date and the sequence open."""
    auditor = desk(AUDITOR)
    for made, person in enumerate(ADULTS, start=1):
        with subtests.test(person.name):
            ask(app, (person.name, person.number), reference=person.number)
            said = card_text(auditor.get(f"/verifications/{made}").text)

            for known in pieces_of(person):
                assert known not in said, f"the card says {known}"
            assert f"{person.number[0]}{'*' * 16}{person.number[17]}" in said
            assert person.name not in said or len(person.name) < 2


def pieces_of(person: Person) -> list[str]:
    """What of a number, or derived from it, a masked card must keep to itself."""
    number, (_province, city, county) = person.number, person.place
    year, month, day = number[6:10], number[10:12], number[12:14]
    runs = [number[at : at + 5] for at in range(len(number) - 4)]
    dates = [f"{year}-{month}-{day}", f"{year}{month}{day}", f"{year}年", f"{month}-{day}"]
    places = [place for place in (city, county) if place != _province]
    return runs + dates + places


def test_every_view_of_a_result_is_recorded_with_whether_it_was_in_full(desk: Open, app: Flask) -> None:
    desk(OPERATOR).verify(*somebody(1))
    desk(AUDITOR).get("/verifications/1")

    with app.app_context():
        views = db.session.scalars(
            select(AuditRecord).where(AuditRecord.action == Action.VERIFICATION_VIEWED).order_by(AuditRecord.id)
        ).all()
        assert [(view.actor_id, view.object_id, view.detail) for view in views] == [
            (OPERATOR.id, 1, {"full": True}),
            (AUDITOR.id, 1, {"full": False}),
        ]


def test_no_page_address_or_title_names_the_person(desk: Open) -> None:
    name, number = "张三", "11010519491231002X"
    page = desk(OPERATOR).verify(name, number)

    assert page.request.path == "/verifications/1"
    assert page.request.query_string == b""
    title = re.search(r"<title>(.*?)</title>", page.text, re.DOTALL)
    assert title is not None
    assert name not in title[1]
