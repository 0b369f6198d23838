"""Every class is purged in one night: charts, books, receipts, messages to come and the trail's seals stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select

from tests.audit import trails
from tests.receipts.papers import answer_of, paper_of, prove
from tests.retention.ages import DAY, ask_then, counted, fold, identities, left, night, said
from tests.support.cast import ADMIN, NOW, OPERATOR, Desk
from tests.verification.calls import MATCH, REFUSED, buy, differences, lot_figures, somebody, who
from webapp.audit.trail import Action
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import saved_operations
from webapp.history.saved_operations import Content
from webapp.notify import outbox
from webapp.notify.messages import Message, State
from webapp.notify.outbox import Draft
from webapp.quota import queries as quota
from webapp.quota.models import LedgerEntry
from webapp.retention.rules import Kind
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import rollups
from webapp.verification.models import Verification

LATER = NOW + 1200 * DAY
KEPT = {"KEEP_IDENTITY": "30", "KEEP_FACTS": "1096", "KEEP_OUTBOX": "30", "KEEP_VIEWS": "30", "KEEP_AUDIT": "184"}


def sent(app: Flask, key: str) -> None:
    """A message that went out on the first day."""
    with app.app_context(), transaction() as session:
        message = session.get_one(Message, outbox.write_one(Draft(key, f"test:{key}", "test", "a@b.test", "en"), NOW))
        message.state, message.finished_at = State.SENT, NOW


def drawn(app: Flask) -> dict[str, set[tuple[object, ...]]]:
    """What charts are made of."""
    fold(app)
    return {name: {row for row in rows if row[-1]} for name, rows in counted(app).items()}


def test_after_a_night_in_which_every_class_went_all_that_must_stand_stands(
    make_app: Callable[..., Flask], sandbox: Sandbox
) -> None:
    app = make_app(**KEPT)
    buy(app, 100)
    Desk(app, OPERATOR).verify("张三", "11010519491231002X")
    paper = paper_of(app)
    for n in range(6):
        ask_then(app, somebody(n), DAY * n / 2, (MATCH, REFUSED)[n % 2])
    sent(app, "k1")
    with app.app_context():
        saved_operations.save(Content("a view", {}, "张三"), None, who(ADMIN), this_instance(), NOW)
    trails.filled(app)
    trails.seal(app, 600)
    lot, charts = lot_figures(app, 1), drawn(app)
    with app.app_context():
        balance = quota.balance(NOW.date(), 0)

    night(app, LATER)
    trails.seal(app, 1200 * 86_400)

    went = {str(told["kind"]): told["removed"] for _action, told in said(app, Action.PURGE_DONE)}
    assert set(went) == {kind.value for kind in Kind}, "each class is recorded with what it came to"
    assert (went["identity"], went["facts"], went["outbox"], went["views"]) == (7, 6, 1, 1)
    assert identities(app) == []
    assert left(app)["receipt_salt"] == 0
    with app.app_context():
        assert set(db.session.scalars(select(Verification.id))) == {1}, "the fact of the receipt stays"
        assert set(db.session.scalars(select(LedgerEntry.verification_id))) == {1, None}
        assert db.session.scalars(select(Message)).all() == []
        assert quota.balance(NOW.date(), 0) == balance
        assert quota.recount() == []
    assert (lot_figures(app, 1), drawn(app)) == (lot, charts)
    made_up = re.compile(r"lot \d+(?: is missing: 0 ledger entries name it|: the ledger lacks .* Purchase, 7 calls)")
    assert [one for one in differences(app) if not made_up.fullmatch(one)] == [], "beside the records above"
    assert answer_of(prove(Desk(app, None), paper.entered())) == "true"
    assert trails.verify(app).faults == []
    with app.app_context():
        rollups.rebuild(ZoneInfo(this_instance().settings.timezone))
    assert drawn(app) == charts, "counted anew without the facts"
    for path in ("/", "/usage", "/quota", "/quota/lots/1", "/history", "/audit", "/retention", "/verifications/1"):
        assert Desk(app, ADMIN).get(path).status_code == 200, path
