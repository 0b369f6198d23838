"""What a verification counts under."""

from __future__ import annotations

from webapp.usage.dimensions import Dimensions
from webapp.verification.models import Verification


def dimensions(row: Verification) -> Dimensions:
    """The counters' dimensions of a verification as it is now."""
    return Dimensions(
        outcome=row.outcome, billed=row.billed, source=row.source, operator_id=row.operator_id,
        department_id=row.department_id or 0, purpose_id=row.purpose_id, lot_id=row.lot_id or 0,
        cause=row.cause or "",
    )  # fmt: skip
