"""Two tabs, two operators, two machines: for one person only one call is under way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import MakeApp
from tests.support.cast import ADMIN, COLLEAGUE, NOW, OPERATOR, Desk, Member, card_of
from tests.support.waiting import together, until
from tests.vendor.scripted import MATCH as MATCH_BYTES
from tests.vendor.scripted import ScriptedVendor, Turn
from tests.verification.calls import (
    MATCH,
    ask,
    before_each_commit,
    buy,
    differences,
    lot_figures,
    outcomes,
    outside,
    somebody,
    verification,
    who,
)
from tests.verification.test_reuse import terms
from webapp.foundation.instance import this_instance
from webapp.vendor.contract import Reply
from webapp.verification import operations
from webapp.verification.operations import AlreadySending, Asked

PERSON = somebody(1)


class Gate:
    """A vendor that answers when it is told to."""

    def __init__(self) -> None:
        self.received = 0
        self.open = threading.Event()

    def __call__(self, turn: Turn) -> bool:
        self.received += 1
        assert self.open.wait(30)
        turn.send(MATCH_BYTES)
        return True


@pytest.mark.parametrize(
    ("second", "status", "shown"), [(OPERATOR, 200, "sending"), (COLLEAGUE, 409, "blocked"), (ADMIN, 200, "sending")]
)
def test_while_a_call_is_under_way_the_same_person_costs_no_second_one(
    make_app: MakeApp, second: Member, status: int, shown: str
) -> None:
    gate = Gate()
    with ScriptedVendor(gate) as vendor:
        app = make_app(VENDOR_URL=vendor.url)
        lot = buy(app, 10)
        first_tab, second_tab = Desk(app, OPERATOR), Desk(app, second)
        answers: list[str] = []
        sending = threading.Thread(target=lambda: answers.append(first_tab.verify(*PERSON).text))
        sending.start()
        until(lambda: gate.received, "the vendor has the first call")

        page = second_tab.verify(*PERSON)

        assert (page.status_code, card_of(page.text)[0]) == (status, shown)
        if shown == "blocked":
            assert PERSON[1] not in page.text.split("data-result")[1].split("</section>")[0]
        gate.open.set()
        sending.join()
    assert card_of(answers[0]) == ("match", "yes")
    assert gate.received == 1
    assert lot_figures(app, lot) == (9, 0, 1)
    assert differences(app) == []


@pytest.mark.parametrize(
    ("other", "status", "shown"),
    [({"purpose": "2"}, 409, "blocked"), ({"reference": "CASE-B2"}, 409, "blocked"), ({}, 200, "sending")],
    ids=["another purpose", "another reference", "the same"],
)
def test_ones_own_call_under_way_answers_only_the_very_same_question(
    make_app: MakeApp, other: dict[str, str], status: int, shown: str
) -> None:
    gate = Gate()
    with ScriptedVendor(gate) as vendor:
        app = make_app(VENDOR_URL=vendor.url)
        Desk(app, ADMIN).post("/settings/purposes/new", terms(name_zh="另一用途", name_en="Another"))
        question = {"purpose": "1", "reference": "CASE-A1"}
        sending = threading.Thread(target=lambda: Desk(app, OPERATOR).verify(*PERSON, **question))
        sending.start()
        until(lambda: gate.received, "the vendor has the first call")

        page = Desk(app, OPERATOR).verify(*PERSON, **question | other)

        assert (page.status_code, card_of(page.text)[0]) == (status, shown)
        if shown == "blocked":
            assert "您本人正在" in page.text
            assert PERSON[1] in page.text, "what was typed is still there"
        gate.open.set()
        sending.join()
    assert gate.received == 1


def test_of_many_at_once_for_one_person_one_is_sent_and_the_others_learn_which(app: Flask) -> None:
    refused, made = list[int](), list[int]()
    tries = 16

    def vendor(_name: str, _number: str) -> Reply:
        until(lambda: len(refused) == tries - 1, "all others were refused")
        return MATCH

    def one() -> None:
        try:
            made.append(ask(app, PERSON, vendor))
        except AlreadySending as twin:
            refused.append(twin.verification_id)

    together(*[one] * tries)

    assert refused == made * (tries - 1)
    assert outcomes(app) == {("match", "yes", None): 1}
    assert differences(app) == []


def test_two_that_pass_the_check_at_once_make_one_call(app: Flask, database: str) -> None:
    """The first has looked and stored, but not committed, when the second looks: only the unique index sees both."""
    results: list[object] = []
    first_stored, second_waits = threading.Event(), threading.Event()

    def commit_late(session: Session) -> None:
        if threading.current_thread().name == "first":
            first_stored.set()
            assert second_waits.wait(30)

    def begin() -> None:
        with app.app_context():
            try:
                asked = Asked(*PERSON, purpose_id=1, consent=True)
                results.append(operations.begin(asked, who(), this_instance(), NOW))
            except AlreadySending as twin:
                results.append(twin)

    first = threading.Thread(target=begin, name="first")
    second = threading.Thread(target=begin, name="second")
    with before_each_commit(app, commit_late):
        first.start()
        assert first_stored.wait(30)
        second.start()
        until(somebody_waits(database, second), "the second waits for the first")
        second_waits.set()
        first.join()
        second.join()

    made, twin = results
    assert isinstance(twin, AlreadySending)
    assert twin.verification_id == made
    assert differences(app) == []


def test_a_late_answer_and_a_new_call_for_the_same_person_do_not_undo_each_other(app: Flask, database: str) -> None:
    """The old call's deadline is over. Its answer is being stored when somebody asks for the same person again."""
    lot = buy(app, 10)
    with app.app_context():
        asked = Asked(*PERSON, purpose_id=1, consent=True)
        old = operations.begin(asked, who(), this_instance(), NOW)
    answer_stored, asked_again = threading.Event(), threading.Event()

    def commit_late(session: Session) -> None:
        if threading.current_thread().name == "late":
            answer_stored.set()
            assert asked_again.wait(30)

    def finish() -> None:
        with app.app_context():
            assert operations.finish(old, MATCH, who(), this_instance(), NOW + timedelta(minutes=5))

    made: list[int] = []
    late = threading.Thread(target=finish, name="late")
    again = threading.Thread(
        target=lambda: made.append(ask(app, PERSON, lambda *_: MATCH, clock=lambda: NOW + timedelta(minutes=5)))
    )
    with before_each_commit(app, commit_late):
        late.start()
        assert answer_stored.wait(30)
        again.start()
        until(somebody_waits(database, again), "the new call waits for the old one's answer")
        asked_again.set()
        late.join()
        again.join()

    assert (verification(app, old).outcome, verification(app, made[0]).outcome) == ("match", "match")
    assert lot_figures(app, lot) == (8, 0, 2)
    assert differences(app) == []


def test_a_forgotten_call_for_the_same_person_is_given_up_by_the_next(app: Flask) -> None:
    with app.app_context():
        asked = Asked(*PERSON, purpose_id=1, consent=True)
        old = operations.begin(asked, who(), this_instance(), NOW)

    made = ask(app, PERSON, lambda *_: MATCH, clock=lambda: NOW + timedelta(hours=1))

    assert (verification(app, old).cause, verification(app, made).outcome) == ("abandoned", "match")
    assert differences(app) == []


def test_the_same_number_under_another_name_is_another_person(app: Flask) -> None:
    def vendor(name: str, number: str) -> Reply:
        if name == PERSON[0]:
            ask(app, ("另一人", number), lambda *_: MATCH)
        return MATCH

    ask(app, PERSON, vendor)

    assert outcomes(app) == {("match", "yes", None): 2}


def test_the_same_person_may_be_asked_about_again_afterwards(app: Flask) -> None:
    for _ in range(3):
        ask(app, PERSON, lambda *_: MATCH)

    assert outcomes(app) == {("match", "yes", None): 3}


def somebody_waits(database: str, thread: threading.Thread) -> Callable[[], bool]:
    """Whether `thread` is held up by another's transaction. SQLite does not tell: there the first simply goes on."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def waits() -> bool:
        if database.startswith("sqlite"):
            return thread.is_alive()
        with outside(database) as scalar:
            return bool(scalar(waiting))

    return waits
