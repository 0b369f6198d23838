"""The tour of a sandbox: the same lesson for everybody who takes it, as often as they take it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.conftest import MakeApp
from tests.support.cast import COLLEAGUE, NOW, OPERATOR, Desk, Member, attribute, card_of
from tests.verification.calls import MATCH, ask, differences, somebody, who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.foundation.limits import parse_limits
from webapp.notify.notices import Notice
from webapp.persons import id_numbers, names
from webapp.vendor import circuit
from webapp.vendor.contract import MAINTENANCE_STOP, UNTIL_SOMEONE_ACTS, Billed, Cause, Outcome, Reply
from webapp.vendor.sandbox import people
from webapp.vendor.sandbox.scenarios import BY_NAME
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import limits, tour
from webapp.verification.asked import Asked
from webapp.verification.operations import verify
from webapp.verification.practising import SHORT_STOP, practises, shortened
from webapp.verification.privacy import MANY_NUMBERS

Open = Callable[[Member | None], Desk]
CARDS = ["match", "reused", "blocked", "mismatch", "no_such_number", "invalid_input", "unexpected", "unknown",
         "refused", "maintenance"]  # fmt: skip
BEGIN = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)


def offered(desk: Desk) -> dict[str, tuple[str, str]]:
    """Name and number of each step, as the desk's page has them now."""
    return offered_by(desk.get("/verify").text)


def offered_by(page: str) -> dict[str, tuple[str, str]]:
    steps = re.findall(r'data-step="(\w+)"(.*?)</li>', page, re.DOTALL)
    return {step: (html.unescape(attribute(item, "data-name")), attribute(item, "data-number")) for step, item in steps}


def take(desk: Desk) -> list[str]:
    """Takes the tour step by step, the page anew for each; the cards it showed."""
    assert list(offered(desk)) == CARDS
    return [card_of(desk.verify(*offered(desk)[step]).text)[0] for step in CARDS]


def test_two_trainees_meet_every_card_twice_and_nobody_is_alarmed(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    with time_machine.travel(BEGIN) as clock:
        for member in (OPERATOR, COLLEAGUE, OPERATOR, COLLEAGUE):
            assert take(desk(member)) == CARDS, member.email
            clock.shift(timedelta(seconds=21))

    with app.app_context():
        raised = set(db.session.scalars(select(Notice.kind)))
    assert raised <= {"unknown_outcome", "unexpected_answer"}, "no privacy notice, no lasting stop"
    assert differences(app) == []


def test_two_trainees_beside_each_other_never_get_each_others_person(desk: Open, sandbox: Sandbox) -> None:
    first, second = desk(OPERATOR), desk(COLLEAGUE)

    for step in CARDS[:-1]:
        assert [card_of(one.verify(*offered(one)[step]).text)[0] for one in (first, second)] == [step] * 2


def test_the_step_of_the_recent_result_offers_ones_own_match_and_says_so_when_there_is_none(
    desk: Open, sandbox: Sandbox
) -> None:
    operator = desk(OPERATOR)
    before = offered(operator)
    assert before["reused"] == before["match"]
    assert "只有刚刚核验过的" in operator.get("/verify").text

    operator.verify(*before["match"])

    after = offered(operator)
    assert after["reused"] == before["match"] != after["match"]
    assert offered(desk(COLLEAGUE))["reused"] != before["match"]


def test_a_real_match_is_never_offered(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify("张三", "11010519491231002X")

    assert "11010519491231002X" not in offered(operator)["reused"]


def test_every_number_of_the_tour_is_sound_nobodys_and_another_each_time() -> None:
    seen, today = set(), NOW.date()
    for seed in range(300):
        for step in tour.steps(Random(seed), None):
            assert (id_numbers.faults(step.number, today) is None) is (step.outcome != "blocked")
            assert id_numbers.warnings(step.number) == ()
            assert "1960" <= step.number[6:10] <= "1999", "grown up, and not very old"
            assert names.faults(step.name) is None
            assert names.warnings(step.name) == ()
            assert people.of_tour(step.number)
            seen.add((seed, step.number))
    assert len({number for _seed, number in seen}) == len(seen), "300 looks, and no number twice"


def test_the_mistyped_name_is_mended_by_what_the_note_says(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    page = operator.get("/verify").text
    name, number = offered_by(page)["mismatch"]

    assert people.tour_name(number) == name.replace("晓", "小") != name
    assert f"证件上是{people.tour_name(number)}" in page
    assert card_of(operator.verify(people.tour_name(number), number).text)[0] == "match"


@pytest.mark.parametrize(
    ("reply", "stop"),
    [
        (Reply(Outcome.MAINTENANCE, Billed.YES, stop=MAINTENANCE_STOP), SHORT_STOP),
        (Reply(Outcome.REFUSED, Billed.NO, Cause.QUOTA_EXHAUSTED, stop=UNTIL_SOMEONE_ACTS), UNTIL_SOMEONE_ACTS),
        (MATCH, None),
    ],
)
def test_only_what_time_ends_is_shortened_and_only_for_the_tour(
    app: Flask, make_app: MakeApp, reply: Reply, stop: object
) -> None:
    number = people.tour_number(people.TOUR_PEOPLE, NOW.date().replace(year=1990), 12)
    with app.app_context():
        assert shortened(reply, number, this_instance()).stop == stop
        assert shortened(reply, "100101199003080023", this_instance()) == reply
    with make_app(VENDOR_URL="https://vendor.example").app_context():
        assert shortened(reply, number, this_instance()) == reply
        assert not practises("演练系统维护", number, this_instance())


def test_the_tours_maintenance_stops_everyone_for_twenty_seconds_and_never_longer(app: Flask) -> None:
    def maintenance(_name: str, _number: str) -> Reply:
        return Reply(Outcome.MAINTENANCE, Billed.YES, stop=MAINTENANCE_STOP)

    with time_machine.travel(BEGIN, tick=False) as clock:
        for seed in range(3):
            step = tour.steps(Random(seed), None)[-1]
            with app.app_context():
                asked = Asked(step.name, step.number, purpose_id=1, consent=True)
                verify(asked, who(), this_instance(), maintenance)
                stopped = circuit.present(utc_now())
                assert stopped is not None
                assert stopped.until == utc_now() + timedelta(seconds=20)
            clock.shift(timedelta(seconds=20))


def test_many_numbers_of_the_tour_under_one_name_reach_no_limit_and_no_auditor(make_app: MakeApp) -> None:
    app = make_app(LIMITS="name=2/day;operator=1000/day")
    for seed in range(MANY_NUMBERS + 2):
        step = tour.steps(Random(seed), None)[7]
        assert step.name == "演练后端超时"
        ask(app, (step.name, step.number), lambda *_: MATCH)

    with app.app_context():
        assert db.session.scalars(select(Notice)).all() == []


def test_the_limit_of_an_operator_holds_in_practice_too() -> None:
    written = parse_limits("operator=5/minute;number=3/day;name=2/day")

    assert limits.of_practice(written) == [*written[:2]]


def test_a_number_may_be_tried_with_every_situation_and_with_its_own_name_too(make_app: MakeApp) -> None:
    app = make_app(LIMITS="number=2/day")
    number = somebody(1)[1]
    for situation in list(BY_NAME)[:5]:
        ask(app, (situation, number), lambda *_: MATCH)

    for name in ("张试", "李试"):
        ask(app, (name, number), lambda *_: MATCH)

    with pytest.raises(limits.LimitReached):
        ask(app, ("王试", number), lambda *_: MATCH)
    ask(app, (list(BY_NAME)[5], number), lambda *_: MATCH)


def test_in_a_live_instance_a_situation_is_a_name_like_any_other(make_app: MakeApp) -> None:
    app = make_app(LIMITS="number=2/day", VENDOR_URL="https://vendor.example")
    number = somebody(1)[1]
    for situation in list(BY_NAME)[:2]:
        ask(app, (situation, number), lambda *_: MATCH)

    with pytest.raises(limits.LimitReached):
        ask(app, (list(BY_NAME)[2], number), lambda *_: MATCH)
