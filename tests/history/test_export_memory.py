"""A file of many rows passes through a process without staying there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert

from tests.support.cast import ADMIN, NOW, OPERATOR, Desk, Member
from webapp.audit.trail import Who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import export_fetching, export_operations
from webapp.history.export_files import FileFormat
from webapp.history.export_models import Export
from webapp.history.export_order import Order
from webapp.history.filters import Filters
from webapp.verification.models import Identity, LegalBasis, Source, Verification

pytestmark = [pytest.mark.long, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
Open = Callable[[Member | None], Desk]
ROWS, MOST = 200_000, 32
ANSWER = '{"name":"张三","respMessage":"身份证信息匹配","respCode":"0000","province":"演练省","city":"演练市"}' * 3


@pytest.fixture
def many(app: Flask) -> Flask:
    """So many verifications, each of somebody else."""
    facts = {
        "deadline_at": NOW, "finished_at": NOW, "outcome": "match", "billed": "yes", "vendor_code": "0000",
        "request_id": "5F4DCC3B-AA76-4D61-8327-DEB882CF99AA", "attempts": 1, "source": Source.DESK,
        "operator_id": OPERATOR.id, "department_id": 1, "purpose_id": 1, "legal_basis": LegalBasis.CONSENT,
        "consent": True, "guardian_consent": False,
    }  # fmt: skip
    with app.app_context():
        sealer = this_instance().sealer
        for start in range(1, ROWS, 10_000):
            numbers = range(start, start + 10_000)
            with transaction() as session:
                created = [facts | {"id": n, "created_at": NOW + timedelta(seconds=n / 100)} for n in numbers]
                session.execute(insert(Verification), created)
                people = [{"name": "张三", "number": f"1101051949{n:08}"[:18], "raw": ANSWER} for n in numbers]
                sealed = [{"verification_id": n, "sealed": sealer.seal_json(one, f"identity:{n}")}
                          for n, one in zip(numbers, people, strict=True)]  # fmt: skip
                session.execute(insert(Identity), sealed)
        db.session.remove()
    return app


def in_use(name: str) -> float:
    """Memory of this process in MB: `VmRSS`, present, or `VmHWM`, the most since it was forgotten."""
    return int(Path("/proc/self/status").read_text().split(f"{name}:")[1].split()[0]) / 1024


def begin() -> float:
    Path("/proc/self/clear_refs").write_text("5")
    return in_use("VmRSS")


def test_a_stream_takes_no_more_memory_however_long_it_is(many: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    assert len(admin.get("/history/export?format=csv&to=2026-11-01").data) < 1000, "all is loaded"
    base = begin()

    answer = admin.client.get("/history/export?format=csv", buffered=False)
    size = sum(len(piece) for piece in answer.response)
    answer.close()

    assert size > ROWS * 100
    assert in_use("VmHWM") - base <= MOST


def test_neither_does_preparing_and_fetching(many: Flask) -> None:
    who = Who(ADMIN.id, ADMIN.name)
    with many.app_context():
        instance = this_instance()
        number = export_operations.ask(Order(Filters(), "en"), FileFormat.CSV, False, who, instance, utc_now())
        base = begin()
        while export_operations.prepare_piece(instance, utc_now()):
            pass
        export = db.session.get_one(Export, number, populate_existing=True)
        assert (export.state, export.rows, export.total) == ("ready", ROWS, ROWS)
        fetched = export_fetching.fetch(number, who, instance, utc_now())
        size = sum(len(export_fetching.piece(number, n, instance)) for n in range(fetched.pieces))

        assert size > ROWS * 100
        assert in_use("VmHWM") - base <= MOST
        db.session.remove()
