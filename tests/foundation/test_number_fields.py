"""Numbers as people write them: what can be read in one way is read, what could be two is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import Form

from webapp.foundation.number_fields import AmountField, Between, WholeNumberField


class Lot(Form):
    calls = WholeNumberField(validators=[Between(-1000, 1_000_000)])
    price = AmountField()


def read(app: Flask, **sent: str) -> Lot:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        form = Lot(MultiDict({"calls": "1"} | sent))
        form.validate()
        return form


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("field", "text", "number"),
    [
        ("calls", "1000", 1000), ("calls", " 1000 ", 1000), ("calls", "1,000", 1000), ("calls", "1，000", 1000),
        ("calls", "1 000", 1000), ("calls", "1\u00a0000", 1000), ("calls", "1\u202f000", 1000),
        ("calls", "1'000", 1000),
        ("calls", "１００", 100), ("calls", "１，０００", 1000), ("calls", "100,000", 100_000),
        ("calls", "10,0000", 100_000),
        ("calls", "−5", -5), ("calls", "－5", -5), ("calls", "–5", -5), ("calls", "-5", -5), ("calls", "+15", 15),
        ("calls", "＋１５", 15), ("calls", "1,000次", 1000), ("calls", "1000 次", 1000),
        ("price", "3100", Decimal(3100)), ("price", "¥3,100.00", Decimal("3100.00")),
        ("price", "￥3100", Decimal(3100)),
        ("price", "3,100.5元", Decimal("3100.5")), ("price", "CNY 30", Decimal(30)), ("price", "30 RMB", Decimal(30)),
        ("price", "-¥5", Decimal(-5)), ("price", "２８．９", Decimal("28.9")), ("price", "289.", Decimal(289)),
    ],
)  # fmt: skip
def test_one_number_may_be_written_in_many_ways(app: Flask, field: str, text: str, number: Any) -> None:
    form = read(app, **{field: text})

    assert (form[field].data, form.errors) == (number, {})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("calls", text) for text in (
            "1,00", "1,5", "1.000", "1.5", "12,34,567", "1,000 000", ",100", "1,,000", "1e3", "0x10", "1_000", "一千",
            "¥100", "100元", "--5", "5-", "NaN", "٣", "½", "", " ", "1000001", "-1001", "9" * 41, "1" * 100_000,
        )),
        *(("price", text) for text in ("1,5", "1.2.3", "1e2", "NaN", "Infinity", "abc", "$5", "30次", "¥", "元", ".")),
    ],
)  # fmt: skip
def test_what_is_no_number_or_could_be_two_is_refused_with_one_message_of_ours(
    app: Flask, field: str, text: str
) -> None:
    [message] = read(app, **{field: text}).errors[field]

    assert message.startswith("Enter ")
