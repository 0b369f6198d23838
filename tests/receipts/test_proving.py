"""Anyone may prove a paper; whatever is wrong has one answer, a wrong try costs time, and nothing entered is kept."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.accounts.browsing import said_beside, stranger
from tests.receipts.papers import ENGLISH, ZHANG, Paper, answer_of, erase, issue, paper_of, prove, records, said
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member
from webapp.foundation.clock import utc_now
from webapp.receipts import commitment, paper
from webapp.receipts.proving import NETWORK_FREE, NUMBER_FREE, WINDOW
from webapp.watching import logs

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
OTHER_NUMBER = "440524188001010014"
NOBODYS = paper.grouped(paper.write(4711, commitment.NUMBER_SIZE))
OTHER_SECRET = commitment.write_salt(bytes(16))


@pytest.fixture
def sheet(app: Flask) -> Paper:
    """A sheet about ZHANG, printed by the operator."""
    Desk(app, OPERATOR).verify(*ZHANG)
    return paper_of(app)


@pytest.mark.parametrize("member", [None, AUDITOR, ADMIN, COLLEAGUE], ids=["holder", "auditor", "admin", "colleague"])
def test_anyone_learns_that_it_is_true_and_of_what(app: Flask, sheet: Paper, member: Member | None) -> None:
    page = prove(Desk(app, member), sheet.entered())

    assert page.status_code == 200
    assert answer_of(page) == "true"
    for words in ("This receipt is true", "The details match", "does not prove", sheet.number, "(Asia/Shanghai)"):
        assert words in said(page), words
    assert "张三" not in page.text, "what was entered is not shown again"
    assert ZHANG[1] not in page.text
    assert sheet.secret not in page.text
    assert "乙核验" not in said(page), "who asked is not the public's to know"


def test_it_stays_true_after_the_erasure(app: Flask, sheet: Paper) -> None:
    erase(app)

    assert answer_of(prove(Desk(app, None), sheet.entered())) == "true"
    assert answer_of(prove(Desk(app, None), sheet.entered(name="李四"))) == "not_confirmed"


@on_one_database
def test_of_a_reused_result_the_original_is_named(app: Flask) -> None:
    for member in (OPERATOR, COLLEAGUE):
        Desk(app, member).verify(*ZHANG)
    colleague = Desk(app, COLLEAGUE)
    address = issue(colleague, "/reuses/1")
    secret = colleague.get(f"{address}/print").text.partition("data-secret>")[2].partition("<")[0]

    page = prove(Desk(app, None), Paper(address.rpartition("/")[2], secret).entered())

    assert answer_of(page) == "true"
    assert f"Original receipt: {issue(Desk(app, OPERATOR)).rpartition('/')[2]}" in said(page)


@on_one_database
def test_name_number_and_code_are_read_as_they_are_typed(app: Flask, sheet: Paper) -> None:
    for typed in (
        {"name": " 张　三 ", "id_number": "１１０１０５ １９４９１２３１ ００２ｘ"},
        {"id_number": "110105-19491231-002x", "secret": sheet.secret.lower().replace("-", " ")},
        {"name": "张\u200b三\u202e", "receipt_number": f" {sheet.number.replace('-', '').lower()}"},
    ):
        assert answer_of(prove(Desk(app, None), sheet.entered() | typed)) == "true", typed


def test_whatever_is_wrong_the_answer_is_the_same(app: Flask, sheet: Paper) -> None:
    wrong = (
        {"name": "李四"},
        {"id_number": OTHER_NUMBER},
        {"secret": OTHER_SECRET},
        {"receipt_number": NOBODYS},
        {"name": "李四", "id_number": OTHER_NUMBER, "secret": OTHER_SECRET},
    )
    answers = [prove(Desk(app, None), sheet.entered() | fields) for fields in wrong]

    assert {answer_of(page) for page in answers} == {"not_confirmed"}
    assert {page.status_code for page in answers} == {200}
    assert len({said(page) for page in answers}) == 1
    assert all("field-error" not in page.text for page in answers)


WRONG = {
    "receipt_number": {
        "": "Enter the receipt number.", "1" * 10_000: "12 characters", "0000-0000-00": "12 characters",
        "0000-0000-000\0": "digits and letters", "0000-0000-000😀": "digits and letters", "0000-0000-0001": "mistyped",
    },
    "secret": {
        "": "Enter the proof code", "x" * 10_000: "27 characters", "\0" * 27: "digits and letters",
        "😀": "digits and letters", "<b>": "digits and letters", "0" * 26 + "1": "mistyped",
    },
    "name": {
        "": "Enter the name.", "张" * 10_000: "too long", "张\0三": "control characters",
        "张\n三": "control characters", "张😀": "emoji",
    },
    "id_number": {
        "": "Enter the ID number.", "1" * 10_000: "18 characters", "1101051949123100\0X": "17 digits",
        "😀" * 18: "17 digits", "110105194912310021": "mistyped", "110105491231002": "first-generation",
        "110105209912310025": "future",
    },
}  # fmt: skip


@on_one_database
def test_what_can_be_seen_to_be_wrong_is_said_beside_its_field_and_counts_nothing(
    app: Flask, sheet: Paper, subtests: pytest.Subtests
) -> None:
    browser = Desk(app, None)
    for field, cases in WRONG.items():
        for typed, why in cases.items():
            with subtests.test(f"{field} {typed[:20]!r}"):
                page = prove(browser, sheet.entered() | {field: typed})

                assert page.status_code == 422
                assert why in said_beside(page, field)
                assert answer_of(page) is None
                assert [other for other in sheet.entered() if said_beside(page, other)] == [field]
    assert records(app, "receipt_checked") == []


@on_one_database
def test_a_form_that_nobody_filled_in_is_answered(app: Flask) -> None:
    for data in ({}, {"name": ["张三", "李四"]}, {"secret": b"\xff\xfe"}, {"receipt_number": "%ED%A0%80"}):
        assert prove(Desk(app, None), data).status_code == 422  # type: ignore[arg-type]


@on_one_database
def test_nothing_is_compared_by_an_address(app: Flask, sheet: Paper) -> None:
    page = Desk(app, None).get("/receipts/verify", query_string=sheet.entered())

    assert page.status_code == 200
    assert answer_of(page) is None
    assert "张三" not in page.text
    assert Desk(app, None).client.post("/receipts/verify", data=sheet.entered()).status_code == 400, "no token"


def test_too_many_wrong_tries_of_a_network_must_wait_and_the_right_one_with_them(app: Flask, sheet: Paper) -> None:
    holder, neighbour, other = (stranger(app, address) for address in ("2001:db8::1", "2001:db8::2:2", "192.0.2.7"))
    for _ in range(NETWORK_FREE):
        assert answer_of(prove(holder, sheet.entered(name="李四"))) == "not_confirmed"

    for browser in (holder, neighbour):
        page = prove(browser, sheet.entered())
        assert page.status_code == 429
        assert answer_of(page) == "wait"
        assert "Please try again in" in said(page)
    assert answer_of(prove(other, sheet.entered())) == "true"
    assert len(records(app, "receipt_checked")) == NETWORK_FREE + 1, "what was not compared is not recorded"
    with time_machine.travel(utc_now() + WINDOW, tick=True):
        assert answer_of(prove(holder, sheet.entered())) == "true"


@on_one_database
def test_waiting_grows_with_every_wrong_try(app: Flask, sheet: Paper) -> None:
    start, browser = utc_now(), stranger(app, "192.0.2.7")
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(NETWORK_FREE):
            prove(browser, sheet.entered(name="李四"))
        heard = []
        for second in range(80):
            clock.move_to(start + timedelta(seconds=second))
            if answer_of(prove(browser, sheet.entered(name="李四"))) == "not_confirmed":
                heard.append(second)

    assert heard == [5, 15, 35, 75]


@pytest.mark.parametrize("there", [True, False])
@on_one_database
def test_a_receipt_that_many_networks_try_out_must_wait_whether_it_exists_or_not(
    app: Flask, sheet: Paper, there: bool
) -> None:
    fields = sheet.entered(name="李四") | ({} if there else {"receipt_number": NOBODYS})
    for place in range(NUMBER_FREE):
        assert answer_of(prove(stranger(app, f"192.0.2.{place}"), fields)) == "not_confirmed"

    assert answer_of(prove(stranger(app, "198.51.100.1"), fields)) == "wait"


@on_one_database
def test_failed_log_ins_and_wrong_receipts_do_not_count_for_each_other(app: Flask, sheet: Paper) -> None:
    browser = stranger(app, "192.0.2.7")
    for _ in range(NETWORK_FREE + 1):
        prove(browser, sheet.entered(name="李四"))

    answer = browser.post("/login", {"email": OPERATOR.email, "password": "correct-horse-9"})

    assert answer.status_code == 303


def test_the_trail_keeps_which_receipt_was_checked_and_nothing_about_the_person(app: Flask, sheet: Paper) -> None:
    prove(stranger(app, "192.0.2.7"), sheet.entered())
    prove(Desk(app, AUDITOR), sheet.entered(name="李四"))
    prove(Desk(app, None), sheet.entered(receipt_number=NOBODYS))

    kept = [(one.actor_id, one.object_id, one.success, one.detail) for one in records(app, "receipt_checked")]
    assert kept == [
        (None, 1, True, {"receipt": sheet.number, "answer": "true"}),
        (AUDITOR.id, 1, False, {"receipt": sheet.number, "answer": "not_confirmed"}),
        (None, None, False, {"receipt": "", "answer": "not_confirmed"}),
    ]
    assert "凭证验真" in Desk(app, AUDITOR).get("/audit").text


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, at the most talkative level."""
    written = io.StringIO()
    with contextlib.redirect_stderr(written):
        logs.configure("DEBUG")
    yield written
    logs.configure("ERROR")


@on_one_database
def test_nothing_entered_stands_in_a_log_or_a_cookie(logged: io.StringIO, app: Flask, sheet: Paper) -> None:
    browser = Desk(app, None)
    pages = [prove(browser, sheet.entered()), prove(browser, sheet.entered(name="李四")),
             prove(browser, sheet.entered(name="张\0三"))]  # fmt: skip

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert sum(line.get("page") == "receipts.prove" for line in lines) == 3
    said_elsewhere = logged.getvalue() + str([page.headers for page in pages])
    for hidden in ("张三", "李四", ZHANG[1], sheet.secret, sheet.secret.replace("-", "")):
        assert hidden not in said_elsewhere
    assert all(page.headers["Cache-Control"] == "no-store" for page in pages)


@on_one_database
def test_the_page_is_there_for_strangers_and_for_those_who_are_logged_in(app: Flask) -> None:
    for member in (None, AUDITOR):
        page = Desk(app, member).get("/receipts/verify", headers=ENGLISH)
        assert page.status_code == 200
        assert all(f'name="{field}"' in page.text for field in ("receipt_number", "name", "id_number", "secret"))
    assert 'href="/receipts/verify"' in Desk(app, AUDITOR).get("/history").text
