"""Receipts are issued once, only for conclusions, and outlive the person; what is changed in the database shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.receipts.papers import ZHANG, change_outcome, erase, paper_of, prove, records, tamper, with_instance
from tests.support.cast import ADMIN, COLLEAGUE, NOW, OPERATOR, Desk
from tests.support.waiting import together
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, ask, who
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.receipts import commitment, operations, proving, queries
from webapp.receipts.models import Receipt, ReceiptFailure, ReceiptSalt
from webapp.receipts.operations import Condition, IdentityGone, NothingToProve
from webapp.vendor.contract import Billed, Outcome, Reply
from webapp.verification import reuse
from webapp.verification.operations import Asked

MISMATCH = Reply(Outcome.MISMATCH, Billed.YES, code="0008", http_status=200)
NO_SUCH = Reply(Outcome.NO_SUCH_NUMBER, Billed.YES, code="0007", http_status=200)
ONE, TWO = "k1:" + "QUFB" * 10 + "QUE=", "k2:" + "QkJC" * 10 + "QkI="


def verified(app: Flask, reply: Reply = MATCH) -> int:
    return ask(app, ZHANG, lambda _name, _number: reply)


def issued(app: Flask, verification_id: int) -> str:
    return with_instance(app, lambda instance, now: operations.issue(verification_id, who(), instance, now))


def reused(app: Flask, verification_id: int) -> int:
    asked = Asked(*ZHANG, purpose_id=1, consent=True)
    return with_instance(
        app,
        lambda instance, now: reuse.show(verification_id, asked, who(COLLEAGUE), instance, now + timedelta(hours=3)),
    )


def condition(app: Flask, number: str) -> Condition:
    with app.app_context():
        receipt = queries.by_number(number)
        assert receipt is not None
        return operations.condition(receipt, operations.open_secret(receipt, this_instance()), this_instance())


def rows(app: Flask, model: type[Any]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("reply", [MATCH, MISMATCH, NO_SUCH], ids=lambda reply: reply.outcome)
def test_each_conclusion_has_one_receipt_however_often_it_is_asked_for(app: Flask, reply: Reply) -> None:
    verification_id = verified(app, reply)

    numbers = {issued(app, verification_id) for _ in range(3)}

    assert len(numbers) == rows(app, Receipt) == rows(app, ReceiptSalt) == 1
    [record] = records(app, "receipt_issued")
    assert (record.object_type, record.object_id, record.success) == ("verification", verification_id, True)
    assert condition(app, numbers.pop()) == Condition.SOUND


@pytest.mark.parametrize("reply", [REFUSED, UNKNOWN], ids=lambda reply: reply.outcome)
def test_what_is_no_conclusion_has_none(app: Flask, reply: Reply) -> None:
    verification_id = verified(app, reply)

    with pytest.raises(NothingToProve):
        issued(app, verification_id)

    assert rows(app, Receipt) == rows(app, ReceiptSalt) == 0


def test_two_who_ask_at_once_get_the_same(app: Flask) -> None:
    verification_id = verified(app)

    together(*[lambda: issued(app, verification_id)] * 4)

    assert rows(app, Receipt) == 1
    assert len(records(app, "receipt_issued")) == 1


def test_a_receipt_takes_the_units_name_of_its_day_and_keeps_it(make_app: Callable[..., Flask]) -> None:
    app = make_app(UNIT_NAME="某某市政务服务中心")
    number = issued(app, verified(app))

    with make_app(UNIT_NAME="另一单位").app_context():
        receipt = queries.by_number(number)
        assert receipt is not None
        assert receipt.unit == "某某市政务服务中心"
        assert receipt.department is not None
        assert receipt.department.name == OPERATOR.department


def test_numbers_tell_neither_how_many_there_are_nor_which_comes_next(app: Flask) -> None:
    numbers = [issued(app, ask(app, (f"李{name}", ZHANG[1]), lambda _n, _i: MATCH)) for name in "甲乙丙丁"]

    assert len({number[:3] for number in numbers}) > 1


def test_a_reuse_has_a_receipt_of_its_own_beside_the_originals(app: Flask) -> None:
    verification_id = verified(app)
    reuse_id = reused(app, verification_id)

    number = with_instance(app, lambda i, now: operations.issue_reused(reuse_id, who(COLLEAGUE), i, now))

    with app.app_context():
        own, original = queries.of_reuse(reuse_id), queries.of_verification(verification_id)
        assert own is not None
        assert original is not None
        assert own.number == number != original.number
        assert own.facts.at == original.facts.at
        assert own.facts.reused_at is not None
        assert own.facts.reused_at - own.facts.at > timedelta(hours=2)
        assert own.department is not None
        assert own.department.name == COLLEAGUE.department
    assert condition(app, number) == Condition.SOUND
    assert issued(app, verification_id) == original.number
    assert [(one.object_type, one.object_id) for one in records(app, "receipt_issued")] == [
        ("verification", verification_id), ("reuse", reuse_id),
    ]  # fmt: skip


def test_erasing_the_identity_destroys_every_salt_and_leaves_the_receipts(app: Flask) -> None:
    verification_id = verified(app)
    reuse_id = reused(app, verification_id)
    with_instance(app, lambda i, now: operations.issue_reused(reuse_id, who(COLLEAGUE), i, now))
    assert rows(app, ReceiptSalt) == 2

    erase(app, verification_id)

    assert rows(app, ReceiptSalt) == 0
    assert rows(app, Receipt) == 2
    assert condition(app, issued(app, verification_id)) == Condition.ERASED


def test_after_an_erasure_nothing_can_be_issued_any_more(app: Flask) -> None:
    verification_id = verified(app)
    erase(app, verification_id)

    with pytest.raises(IdentityGone):
        issued(app, verification_id)


def test_the_holder_of_the_paper_proves_it_before_and_after_the_erasure(app: Flask) -> None:
    verified(app)
    paper = paper_of(app)

    for erased in (False, True):
        if erased:
            erase(app)
        page = prove(Desk(app, None), paper.entered())

        assert page.status_code == 200
        assert 'data-proof="true"' in page.text
        assert 'data-outcome="match"' in page.text


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE verification SET outcome = 'mismatch'",
        "UPDATE verification SET created_at = '2026-01-01 00:00:00'",
        "UPDATE receipt SET unit = 'x'",
        "UPDATE receipt SET commitment = verification_commitment",
        "UPDATE receipt SET reuse_id = 1",
    ],
    ids=["outcome", "time", "unit", "commitment", "reuse"],
)
def test_whatever_is_changed_in_the_database_the_receipt_is_not_confirmed(app: Flask, statement: str) -> None:
    verification_id = verified(app)
    paper = paper_of(app)
    reused(app, verification_id)
    if "verification_commitment" in statement:
        other = paper_of(app, f"/verifications/{ask(app, ('李四', ZHANG[1]), lambda _n, _i: MATCH)}").number
        with app.app_context():
            value = queries.by_number(other)
            assert value is not None
            blob = value.commitment.hex()
            kind = db.engine.dialect.name
        literal = f"x'{blob}'" if kind == "sqlite" else f"'\\x{blob}'"
        statement = statement.replace("verification_commitment", literal)

    tamper(app, statement)

    assert condition(app, paper.number) == Condition.CHANGED
    assert 'data-proof="not_confirmed"' in prove(Desk(app, None), paper.entered()).text


def test_a_salt_that_was_moved_to_another_receipt_does_not_open(app: Flask) -> None:
    verified(app)
    first = paper_of(app).number.replace("-", "")
    other = paper_of(app, f"/verifications/{ask(app, ('李四', ZHANG[1]), lambda _n, _i: MATCH)}").number

    tamper(app, f"UPDATE receipt_salt SET sealed = (SELECT sealed FROM receipt_salt WHERE number = '{first}')")  # noqa: S608

    assert Desk(app, OPERATOR).get(f"/receipts/{other}/print").status_code == 500


def test_data_keys_can_be_rotated_and_a_lost_one_is_no_denial(make_app: Callable[..., Flask]) -> None:
    old = make_app(DATA_KEYS=ONE)
    verified(old)
    paper = paper_of(old)
    rotated, lost = make_app(DATA_KEYS=f"{TWO},{ONE}"), make_app(DATA_KEYS=TWO)

    assert 'data-proof="true"' in prove(Desk(rotated, None), paper.entered()).text
    page = prove(Desk(lost, None), paper.entered())

    assert page.status_code == 503
    assert 'data-proof="undecided"' in page.text
    newer = issued(rotated, ask(rotated, ("李四", ZHANG[1]), lambda _n, _i: MATCH))
    with rotated.app_context():
        stored = {row.number: row.key_id for row in db.session.scalars(select(Receipt))}
    assert stored == {paper.number.replace("-", ""): "k1", newer: "k2"}


def test_what_is_stored_names_nobody_and_holds_no_salt(app: Flask) -> None:
    verified(app)
    paper = paper_of(app)
    salt = commitment.read_salt(paper.secret)

    with app.app_context():
        receipt, kept = db.session.scalars(select(Receipt)).one(), db.session.scalars(select(ReceiptSalt)).one()
    for hidden in (ZHANG[0].encode(), ZHANG[1].encode(), salt, paper.secret.replace("-", "").encode()):
        assert hidden not in receipt.commitment + kept.sealed


def test_wrong_tries_are_forgotten_once_they_count_no_more(app: Flask) -> None:
    verified(app)
    prove(Desk(app, None), paper_of(app).entered(name="李四"))
    assert rows(app, ReceiptFailure) == 1

    with app.app_context():
        proving.forget_failures(NOW.replace(year=2099))

    assert rows(app, ReceiptFailure) == 0


def test_a_receipt_that_was_tampered_with_is_not_printed(app: Flask) -> None:
    verified(app)
    paper = paper_of(app)

    change_outcome(app, "mismatch")

    page = Desk(app, ADMIN).get(f"/receipts/{paper.number}/print")
    assert page.status_code == 409
    assert 'data-condition="changed"' in page.text
    assert paper.secret not in page.text
