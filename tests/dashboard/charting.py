"""A few days of calls for the tests of charts, made through the real operations, and readers of charts."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.support.cast import ADMIN, COLLEAGUE, OPERATOR, Desk
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, ask, somebody, who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.usage import counters
from webapp.vendor.contract import Billed, Outcome, Reply
from webapp.verification.models import Verification

MISMATCH = Reply(Outcome.MISMATCH, Billed.YES, code="0008", http_status=200)
REPLIES = (MATCH, MATCH, MATCH, MISMATCH, REFUSED, UNKNOWN)
Open = Callable[[Any], Desk]


def busy_days(app: Flask, calls: int = 40, days: int = 5) -> datetime:
    """Two lots, one with a price, and calls of three people in the last days: half of them folded. Returns now."""
    now, dice = utc_now(), random.Random(calls)
    bought = now - timedelta(days=days + 1)
    with app.app_context():
        day = bought.date()
        for number, price, last in ((calls // 2, 1_000, 30), (calls // 4, None, 60)):
            with transaction():
                ledger.record_purchase(
                    Purchase(number, day - timedelta(days=1), now.date() + timedelta(days=last), price), who(), bought
                )
    for number in range(calls):
        at = now - timedelta(minutes=dice.randrange(days * 24 * 60))
        reply = replace(dice.choice(REPLIES), latency_ms=dice.randrange(20, 3_000))
        ask(app, somebody(number), lambda *_, reply=reply: reply, clock=lambda at=at: at,  # type: ignore[misc]
            by=dice.choice([ADMIN, OPERATOR, COLLEAGUE]))  # fmt: skip
        if number == calls // 2:
            with app.app_context():
                counters.fold(this_instance().settings.zone)
    return now


def stored(app: Flask) -> list[Verification]:
    """Every verification, as it is stored."""
    with app.app_context():
        return list(db.session.scalars(select(Verification).order_by(Verification.id)))


def chart(page: str, name: str) -> dict[str, Any]:
    """What the script draws of the chart of that name."""
    found = re.search(rf'<script type="application/json" id="{name}-chart-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None, f"no chart {name}"
    data: dict[str, Any] = json.loads(found[1])
    return data


def lines(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures of each line that are not nothing, by place."""
    return {
        line["key"]: {place: value for place, value in zip(data["places"], line["values"], strict=True) if value}
        for line in data["lines"]
    }


def rows_of(answer: TestResponse) -> list[list[str]]:
    """The rows of a CSV file, as a spreadsheet reads it."""
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith(b"\xef\xbb\xbf"), "a byte order mark tells spreadsheets that it is UTF-8"
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
