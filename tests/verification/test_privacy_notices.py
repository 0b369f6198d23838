"""Who tries out numbers for a name, or names for a number, is noticed, and nobody is named by the notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from tests.conftest import MakeApp
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member
from tests.verification.calls import MATCH, ask, somebody
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify.notices import Notice
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import privacy
from webapp.verification.models import IdentityIndex
from webapp.verification.privacy import MANY_NAMES, MANY_NUMBERS

Open = Callable[[Member | None], Desk]
NAME = "众测试人"


def notices(app: Flask) -> list[Notice]:
    with app.app_context():
        kinds = ("many_numbers", "many_names")
        return list(db.session.scalars(select(Notice).where(Notice.kind.in_(kinds)).order_by(Notice.id)))


def try_numbers(app: Flask, count: int, hours: float = 0) -> None:
    for n in range(count):
        ask(app, (NAME, somebody(n)[1]), lambda *_: MATCH, clock=lambda: NOW + timedelta(hours=hours))


def try_names(app: Flask, count: int) -> None:
    for n in range(count):
        ask(app, (somebody(n)[0], somebody(0)[1]), lambda *_: MATCH, clock=lambda: NOW)


def test_many_numbers_for_one_name_are_told_to_auditors_once_a_day(app: Flask) -> None:
    try_numbers(app, MANY_NUMBERS - 1)
    assert notices(app) == []

    try_numbers(app, MANY_NUMBERS + 2)

    (notice,) = notices(app)
    assert (notice.role, notice.kind, notice.params["count"]) == ("auditor", "many_numbers", MANY_NUMBERS)


def test_many_names_for_one_number_are_told_to_auditors(app: Flask) -> None:
    try_names(app, MANY_NAMES - 1)
    assert notices(app) == []

    try_names(app, MANY_NAMES)

    (notice,) = notices(app)
    assert (notice.role, notice.kind) == ("auditor", "many_names")


def test_the_next_day_is_told_anew(app: Flask) -> None:
    try_numbers(app, MANY_NUMBERS)
    try_numbers(app, MANY_NUMBERS, hours=30)

    assert len(notices(app)) == 2


def test_numbers_of_more_than_a_day_ago_do_not_count(app: Flask) -> None:
    try_numbers(app, MANY_NUMBERS - 1)
    ask(app, (NAME, somebody(MANY_NUMBERS)[1]), lambda *_: MATCH, clock=lambda: NOW + timedelta(hours=25))

    assert notices(app) == []


def test_a_notice_holds_neither_text_nor_an_index_that_finds_it(app: Flask) -> None:
    try_numbers(app, MANY_NUMBERS)
    try_names(app, MANY_NAMES)

    said = " ".join(f"{notice.key} {notice.params}" for notice in notices(app))
    assert said
    assert NAME not in said
    assert somebody(0)[1] not in said
    with app.app_context():
        blinds = db.session.scalars(select(IdentityIndex.blind)).all()
    assert not any(blind.hex() in said for blind in blinds)


def test_who_runs_into_the_limit_of_numbers_is_told_of_too(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = make_app(LIMITS="name=2/day")
    operator = Desk(app, OPERATOR)
    for n in range(3):
        page = operator.verify(NAME, somebody(n)[1])

    assert page.status_code == 429
    (notice,) = notices(app)
    assert (notice.kind, notice.params["count"]) == ("many_numbers", 2)
    assert sandbox.counts().received == 2


def test_auditors_read_it_and_nobody_else(app: Flask, desk: Open) -> None:
    try_numbers(app, MANY_NUMBERS)

    mark = notices(app)[0].params["mark"]

    assert mark in desk(AUDITOR).get("/").text
    for member in (OPERATOR, ADMIN):
        assert mark not in desk(member).get("/").text


def test_a_notice_goes_after_a_month(app: Flask) -> None:
    try_numbers(app, MANY_NUMBERS)
    with app.app_context():
        first = db.session.scalars(select(Notice.created_at).where(Notice.kind == "many_numbers")).one()
        privacy.forget_old(first + privacy.KEPT)
    assert len(notices(app)) == 1

    with app.app_context():
        privacy.forget_old(first + privacy.KEPT + timedelta(seconds=1))
    assert notices(app) == []


def test_a_notice_goes_with_the_person_it_is_about_and_others_stay(app: Flask) -> None:
    try_numbers(app, MANY_NUMBERS)
    try_names(app, MANY_NAMES)
    with app.app_context():
        sealer = this_instance().sealer
        with transaction():
            privacy.forget_about(NAME, somebody(1)[1], sealer)
    assert [one.kind for one in notices(app)] == ["many_names"]

    with app.app_context(), transaction():
        privacy.forget_about("别人", somebody(0)[1], sealer)
    assert notices(app) == []
