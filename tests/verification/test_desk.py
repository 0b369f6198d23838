"""The desk as its people use it: ask, see what came of it, find it again, see the calls go down."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member, attribute, card_of
from webapp.vendor.sandbox.server import Sandbox

Open = Callable[[Member | None], Desk]
NUMBER = "11010519491231002X"


def test_a_verified_person_costs_one_call_and_stands_in_the_history(desk: Open, sandbox: Sandbox) -> None:
    desk(ADMIN).record_lot(1000)
    operator = desk(OPERATOR)

    page = operator.verify("张三", NUMBER)

    assert card_of(page.text) == ("match", "yes")
    assert sandbox.counts().charged == 1
    dashboard = operator.get("/").text
    assert attribute(dashboard, "data-remaining") == "999"
    assert attribute(dashboard, "data-total") == "1000"
    assert attribute(dashboard, "data-used-today") == "1"
    assert re.findall(r'data-verification="(\d+)"', operator.get("/history").text) == ["1"]


def test_what_the_local_check_refuses_is_said_beside_the_field_and_costs_nothing(desk: Open, sandbox: Sandbox) -> None:
    page = desk(OPERATOR).verify("张三", "110105194912310021")

    assert page.status_code == 422
    assert card_of(page.text) == ("blocked", "no")
    assert 'id="id_number-error"' in page.text
    assert sandbox.counts().received == 0


@pytest.mark.parametrize(("member", "status"), [(OPERATOR, 200), (ADMIN, 200), (AUDITOR, 200), (COLLEAGUE, 404)])
def test_a_result_is_open_to_its_operator_to_admins_and_to_auditors(desk: Open, member: Member, status: int) -> None:
    desk(OPERATOR).verify("张三", NUMBER)

    page = desk(member).get("/verifications/1")

    assert page.status_code == status
    assert ("张三" in page.text) is (member is OPERATOR)
