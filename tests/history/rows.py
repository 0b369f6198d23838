"""Verifications as facts in the database, without a call: for pages that only read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from tests.support.cast import OPERATOR
from webapp.foundation.database import must_write
from webapp.foundation.instance import this_instance
from webapp.vendor.contract import Billed, Outcome
from webapp.verification import identities
from webapp.verification.identities import Person
from webapp.verification.models import LegalBasis, Source, Verification

DEPARTMENTS = {"前台": 1, "后台": 2}


def store(*created: datetime, person: Person | None = None, **fields: Any) -> list[int]:
    """Stores one verification for each instant in the caller's transaction; returns their numbers."""
    fixed = {
        "outcome": Outcome.MATCH, "billed": Billed.YES, "vendor_code": "0000", "request_id": "", "attempts": 1,
        "source": Source.DESK, "operator_id": OPERATOR.id, "department_id": 1, "purpose_id": 1,
        "legal_basis": LegalBasis.CONSENT, "consent": True, "guardian_consent": False,
    } | fields  # fmt: skip
    session, made = must_write(), []
    for at in created:
        row = fixed | {"created_at": at, "deadline_at": at + timedelta(seconds=50), "finished_at": at}
        made.append(session.scalar(insert(Verification).values(**row).returning(Verification.id)) or 0)
        if person is not None:
            identities.keep(made[-1], person, this_instance().sealer)
    return made
