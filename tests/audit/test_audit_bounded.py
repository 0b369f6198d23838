"""A page of the trail costs as much in a large one as in a small one, whatever two filters have in common."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import delete, func, insert, select, text

from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR
from tests.support.prices import price_of
from webapp.audit import queries
from webapp.audit.queries import Filters, Place, Timeless
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance

SMALL, LARGE, SIZE = 4_000, 8_000, 20
DAYS = 5
MIDDLE = Place(NOW + timedelta(days=2), 1)
PAIRS = {
    "both common, nothing in common": Filters(actor=ADMIN.id, action=Action.VERIFICATION_SENT),
    "of somebody who did hardly anything": Filters(actor=AUDITOR.id, action=Action.LOGIN),
    "nobody, and what nobody does": Filters(actor=queries.NOBODY, action=Action.LOGIN),
    "common of one person": Filters(actor=OPERATOR.id, action=Action.VERIFICATION_SENT),
    "a failure that succeeded": Filters(action=Action.LOGIN_FAILED, success=True),
    "a failure": Filters(action=Action.LOGIN_FAILED, success=False),
    "a failure of a person": Filters(actor=ADMIN.id, action=Action.LOGIN_FAILED, success=True),
    "any failure": Filters(success=False),
    "failures of somebody who never failed": Filters(actor=ADMIN.id, success=False),
    "failures of nobody": Filters(actor=queries.NOBODY, success=False),
    "failures at what never fails": Filters(action=Action.LOGIN, success=False),
    "failures of somebody at what others fail at": Filters(
        actor=OPERATOR.id, action=Action.LOGIN_FAILED, success=False
    ),
    "failures of one who fails at something else": Filters(
        actor=queries.NOBODY, action=Action.COUNTER_READ, success=False
    ),
    "failures at an object that never failed": Filters(object_type="user", object_id=1, success=False),
}


def fill(many: int) -> None:
    """Log-ins of the admin, verifications of the operator and failures of nobody, in turn."""
    kinds = [(ADMIN.id, Action.LOGIN, True), (OPERATOR.id, Action.VERIFICATION_SENT, True),
             (None, Action.LOGIN_FAILED, False), (None, Action.COUNTER_READ, True)]  # fmt: skip
    records: list[dict[str, object]] = [
        {"at": NOW + timedelta(days=DAYS) * (number / many), "actor_id": actor, "actor": "x", "action": action,
         "success": success, "object_type": "user", "object_id": number % 4 + 1, "address": "", "request_id": "",
         "detail": {}}
        for number in range(many) for actor, action, success in [kinds[number % 4]]
    ]  # fmt: skip
    with transaction() as session:
        session.execute(delete(AuditRecord))
        session.execute(insert(AuditRecord), records)
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (FREEZE, ANALYZE)"))


def prices() -> dict[str, int]:
    zone, found = this_instance().settings.zone, {}
    for pair, wanted in PAIRS.items():
        look = partial(queries.page, wanted.conditions(zone), SIZE, leading=wanted.leading)
        found[pair] = price_of(look, "audit_record")
        found[f"{pair}, later"] = price_of(partial(look, below=MIDDLE), "audit_record")
        middle = db.session.scalar(select(func.max(AuditRecord.id)).where(AuditRecord.at < MIDDLE.at)) or 0
        found[f"{pair}, from a place without a time"] = price_of(partial(look, below=Timeless(middle)), "audit_record")
    return found


@pytest.mark.usefixtures("context")
def test_no_pair_of_filters_costs_more_in_a_larger_trail() -> None:
    fill(SMALL)
    before = prices()
    fill(LARGE)

    after = prices()

    assert {pair: (cost, after[pair]) for pair, cost in before.items() if after[pair] > 1.2 * cost + 300} == {}


@pytest.mark.usefixtures("context")
def test_what_never_succeeds_is_found_without_success_only() -> None:
    fill(SMALL)
    zone = this_instance().settings.zone

    assert not queries.page(PAIRS["a failure that succeeded"].conditions(zone), SIZE).records
    assert len(queries.page(PAIRS["a failure"].conditions(zone), SIZE).records) == SIZE
