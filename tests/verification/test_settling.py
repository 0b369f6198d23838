"""The unknown desk: what nobody knows is settled by an admin, with a reason, and by nobody else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member, attribute, card_of
from tests.support.waiting import together
from tests.verification.calls import (
    MATCH,
    UNKNOWN,
    ask,
    buy,
    differences,
    give_up,
    lot_figures,
    outcomes,
    somebody,
    verification,
    who,
)
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.notify.notices import Notice
from webapp.quota.models import EntryKind, LedgerEntry
from webapp.usage import queries as usage
from webapp.vendor.contract import Reply
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import operations, settling
from webapp.verification.asked import Asked
from webapp.verification.models import Decision
from webapp.verification.settling import SettledAlready
from webapp.verification.unsettled import SIZE

Open = Callable[[Member | None], Desk]
ENGLISH = {"Accept-Language": "en"}
REASON = "账单第 3 行有此请求号"


def unknown(app: Flask, n: int = 1) -> int:
    return ask(app, somebody(n), lambda _name, _number: UNKNOWN)


def settle(desk: Desk, number: int, decision: str, reason: str = REASON) -> int:
    return desk.post(f"/unknowns/{number}/settle", {"decision": decision, "reason": reason}).status_code


def following(page: str) -> str:
    """The address of the next page."""
    found = re.search(r'href="([^"]*)" rel="next"', page)
    assert found is not None
    return html.unescape(found[1])


def figures(page: str) -> list[str]:
    """What stands under the three headings, as text."""
    found = re.findall(r"<dd>(.*?)</dd>", page.split("data-unknown")[1].split("</dl>")[0], re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in found]


def rows(page: str) -> list[str]:
    return re.findall(r'data-verification="(\d+)"', page)


@pytest.mark.parametrize(
    ("decision", "figures", "stored"),
    [
        ("charged", (9, 0, 1), ("unknown", "yes", "no_answer")),
        ("not_charged", (10, 0, 0), ("unknown", "no", "no_answer")),
        ("ask_again", (9, 1, 0), ("unknown", "unknown", "no_answer")),
    ],
)
def test_a_decision_moves_ledger_counters_and_trail_and_leaves_the_outcome_unknown(
    app: Flask, desk: Open, decision: str, figures: tuple[int, int, int], stored: tuple[str, str, str | None]
) -> None:
    lot, made = buy(app, 10), unknown(app)

    assert settle(desk(ADMIN), made, decision) == 303

    assert lot_figures(app, lot) == figures
    assert outcomes(app) == {stored: 1}
    assert differences(app) == []
    with app.app_context():
        assert usage.unknown_calls() == (1 if decision == "ask_again" else 0)
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.UNKNOWN_SETTLED)).one()
        assert (record.actor_id, record.object_id, record.detail) == (ADMIN.id, made, {"decision": decision})
        assert db.session.scalars(select(Notice).where(Notice.kind == "unknown_outcome")).all() == []


def test_the_ledger_names_who_decided_and_why(app: Flask, desk: Open) -> None:
    buy(app, 10)
    settle(desk(ADMIN), unknown(app), "charged")

    with app.app_context():
        entry = db.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.CHARGE)).one()
        assert (entry.actor_id, entry.reason) == (ADMIN.id, REASON)


def test_the_page_lists_the_open_ones_oldest_first_with_what_support_asks_for(app: Flask, desk: Open) -> None:
    buy(app, 10)
    first, second = unknown(app, 1), unknown(app, 2)
    admin = desk(ADMIN)

    page = admin.get("/unknowns").text
    assert rows(page) == [str(first), str(second)]
    assert attribute(page, "data-unknown") == "2"

    settle(admin, first, "charged")
    settle(admin, second, "ask_again")
    page = admin.get("/unknowns").text
    assert rows(page) == [str(second)], "who may be asked about again is still held"
    assert REASON in page


def test_what_is_to_be_decided_stands_before_what_may_be_asked_again(app: Flask, desk: Open) -> None:
    made = [unknown(app, n) for n in range(4)]
    admin = desk(ADMIN)

    settle(admin, made[0], "ask_again")
    settle(admin, made[2], "ask_again")

    order = [str(made[at]) for at in (1, 3, 0, 2)]
    assert rows(admin.get("/unknowns").text) == order
    for at, number in enumerate(order):
        assert rows(admin.get(f"/unknowns?from={number}").text) == order[at:], "a result's own link"


def test_every_one_of_many_can_be_reached_and_all_are_counted(app: Flask, desk: Open) -> None:
    desk(ADMIN).record_lot(SIZE + 3, price=str(SIZE + 3))
    made = [unknown(app, n) for n in range(SIZE + 3)]
    dear = [unknown(app, n) for n in range(SIZE + 3, SIZE + 5)]
    admin = desk(ADMIN)
    settle(admin, made[0], "ask_again")

    first = admin.get("/unknowns", headers=ENGLISH).text
    second = admin.get(following(first), headers=ENGLISH).text

    assert rows(first) == [str(number) for number in made[1 : SIZE + 1]]
    assert rows(second) == [str(number) for number in (*made[SIZE + 1 :], *dear, made[0])]
    for page in (first, second):
        assert attribute(page, "data-unknown") == str(SIZE + 5)
        assert figures(page) == [str(SIZE + 4), "1", f"{SIZE + 5} calls ¥{SIZE + 3}.00, and 2 calls without a price"]
    assert 'rel="next"' not in second
    assert rows(admin.get("/unknowns").text) == rows(first)


def test_what_is_settled_meanwhile_shifts_no_page(app: Flask, desk: Open) -> None:
    made = [unknown(app, n) for n in range(SIZE + 2)]
    admin = desk(ADMIN)
    following_page = following(admin.get("/unknowns").text)

    settle(admin, made[0], "charged")
    settle(admin, made[SIZE], "ask_again")

    assert rows(admin.get(following_page).text) == [str(made[SIZE + 1]), str(made[SIZE])]


def test_a_decision_on_a_later_page_leads_back_to_it_and_so_does_another_language(app: Flask, desk: Open) -> None:
    made = [unknown(app, n) for n in range(3)]
    admin, place = desk(ADMIN), f"?from={made[1]}&asked=no"

    page = admin.post(f"/unknowns/{made[2]}/settle{place}", {"decision": "charged", "reason": ""})
    assert page.status_code == 422
    assert rows(page.text) == [str(made[1]), str(made[2])]
    assert f'id="fault-{made[2]}"' in page.text
    assert admin.get(f"/unknowns/{made[2]}/settle{place}").location == f"/unknowns{place}"

    done = admin.post(f"/unknowns/{made[2]}/settle{place}", {"decision": "charged", "reason": REASON})
    assert done.location == f"/unknowns{place}"


@pytest.mark.parametrize(
    ("place", "status"),
    [("?from=99", 404), ("?from=1&asked=yes", 200), ("?from=x", 200), ("?from=1%00", 200), ("?from=-1", 200),
     (f"?from={10**18 - 1}", 404), (f"?from={10**30}", 200), ("?asked=yes", 200), ("?from=１", 200)],
)  # fmt: skip
def test_a_made_up_place_is_never_a_fault(app: Flask, desk: Open, place: str, status: int) -> None:
    unknown(app)

    assert desk(ADMIN).get(f"/unknowns{place}").status_code == status


@pytest.mark.parametrize(
    ("decision", "reason"),
    [("", REASON), ("charged", ""), ("charged", "ab"), ("forget", REASON), ("charged", "x" * 201)],
)
def test_a_decision_needs_a_word_of_ours_and_a_reason(app: Flask, desk: Open, decision: str, reason: str) -> None:
    made = unknown(app)

    assert settle(desk(ADMIN), made, decision, reason) == 422
    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 1}


def test_what_is_known_cannot_be_settled(app: Flask, desk: Open) -> None:
    buy(app, 10)
    known = ask(app, somebody(1), lambda _name, _number: MATCH)
    admin = desk(ADMIN)

    assert settle(admin, known, "not_charged") == 303
    assert settle(admin, 99, "charged") == 404

    assert outcomes(app) == {("match", "yes", None): 1}
    assert differences(app) == []


@pytest.mark.parametrize("member", [OPERATOR, AUDITOR])
def test_only_admins_settle(app: Flask, desk: Open, member: Member) -> None:
    made = unknown(app)

    assert desk(member).get("/unknowns").status_code == 403
    assert settle(desk(member), made, "charged") == 403
    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 1}


def test_of_two_admins_at_once_one_settles(app: Flask) -> None:
    lot, made = buy(app, 10), unknown(app)
    refused: list[int] = []

    def one(decision: Decision) -> None:
        with app.app_context():
            try:
                settling.settle(made, decision, REASON, who(ADMIN), this_instance(), utc_now())
            except SettledAlready:
                refused.append(1)
            finally:
                db.session.remove()

    together(lambda: one(Decision.CHARGED), lambda: one(Decision.NOT_CHARGED))

    assert len(refused) == 1
    assert lot_figures(app, lot) in ((9, 0, 1), (10, 0, 0))
    assert differences(app) == []


def test_the_late_answer_of_a_call_that_was_settled_changes_nothing(app: Flask, desk: Open) -> None:
    lot = buy(app, 10)
    with app.app_context():
        made = operations.begin(Asked(*somebody(1), purpose_id=1, consent=True), who(), this_instance(), NOW)
    give_up(app, NOW + timedelta(hours=1))
    settle(desk(ADMIN), made, "not_charged")

    with app.app_context():
        assert operations.finish(made, MATCH, who(), this_instance(), utc_now()) is False

    assert verification(app, made).billed == "no"
    assert lot_figures(app, lot) == (10, 0, 0)
    assert differences(app) == []


def test_nothing_is_settled_by_itself(app: Flask) -> None:
    lot = buy(app, 10)
    unknown(app)

    assert give_up(app, NOW + timedelta(days=4000)) == 0

    assert lot_figures(app, lot) == (9, 1, 0)


def test_ask_again_lets_the_person_be_asked_about_anew(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    made = ask(app, ("张三", "11010519491231002X"), lambda _name, _number: UNKNOWN)
    operator = desk(OPERATOR)
    assert card_of(operator.verify("张三", "11010519491231002X").text) == ("blocked", "no")

    settle(desk(ADMIN), made, "ask_again")

    assert card_of(operator.verify("张三", "11010519491231002X").text) == ("match", "yes")
    assert sandbox.counts().received == 1
    assert differences(app) == []


def test_a_call_that_no_lot_covers_can_be_settled_too(app: Flask, desk: Open) -> None:
    def vendor(_name: str, _number: str) -> Reply:
        return UNKNOWN

    for n, decision in enumerate(("charged", "not_charged")):
        assert settle(desk(ADMIN), ask(app, somebody(n), vendor), decision) == 303
    assert differences(app) == []


@pytest.mark.parametrize(
    "written", ["bill of {name}", "bill of {spaced}", "no. {number}", "no. {wide}", "1234 5678 9012 34"]
)
def test_the_reason_may_not_name_the_person_and_trying_is_recorded(app: Flask, desk: Open, written: str) -> None:
    number = unknown(app)
    name, id_number = somebody(1)
    wide = "".join(chr(ord(one) + 0xFEE0) for one in id_number)
    reason = written.format(name=name, spaced=" ".join(name), number=id_number, wide=wide)

    assert settle(desk(ADMIN), number, "charged", reason) == 422

    with app.app_context():
        records = select(AuditRecord).where(AuditRecord.action == Action.UNKNOWN_SETTLED)
        (record,) = db.session.scalars(records)
        assert (record.success, record.object_id, record.detail) == (False, number, {"decision": "charged"})
    assert settle(desk(ADMIN), number, "charged") == 303
