"""Prices and costs are shown to admins and auditors: operators count calls only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tests.reconciliation.counting import call
from tests.support.cast import ADMIN, AUDITOR, OPERATOR, Desk, Member
from webapp.foundation.clock import utc_now

Open = Callable[[Member | None], Desk]


@pytest.mark.parametrize(("member", "shown"), [(OPERATOR, False), (AUDITOR, True), (ADMIN, True)])
def test_no_page_of_an_operator_says_what_calls_cost(app: Flask, desk: Open, member: Member, shown: bool) -> None:
    soon = utc_now() + timedelta(days=20)
    desk(ADMIN).record_lot(1_000, price="3100", expires_on=soon.date().isoformat())
    for day in range(1, 4):
        call(app, day, at=utc_now() - timedelta(days=day))
    reader = desk(member)

    for path in ("/", "/quota", "/quota/lots/1"):
        page = reader.get(path, headers={"Accept-Language": "en"})
        assert page.status_code == 200
        assert ("¥" in page.text) is shown, path
        if path != "/quota/lots/1":
            assert "will likely lapse unused" in page.text
