"""What the product keeps of each staged call, as the operations of `verification` would have written it.

Joined outwards, from the calls: so they are gone through in the order of their numbers.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Select,
    String,
    case,
    cast,
    false,
    literal,
    null,
    select,
    true,
    union_all,
)

from webapp.audit.trail import Action
from webapp.demo.parts import Part
from webapp.demo.staging import CALL, KIND, OPERATOR, SETTLED, USE
from webapp.foundation.database import RowId
from webapp.quota.models import EntryKind
from webapp.vendor.contract import Billed
from webapp.verification.models import Source

REASON = "服务商账单核对"
"""What an admin says who settles an unknown outcome: compared with the vendor's bill."""
_NOBODY = cast(null(), RowId)
_OF_KIND, _BY = KIND.c.id == CALL.c.kind, OPERATOR.c.id == CALL.c.operator_id
_FOR = USE.c.id == CALL.c.purpose_id


def facts() -> Select[Any]:
    """The rows of `verification`."""
    same = (
        "id", "created_at", "deadline_at", "finished_at", "billed", "request_id", "latency_ms", "operator_id",
        "purpose_id", "lot_id",
    )  # fmt: skip
    of_kind = (KIND.c[name] for name in ("outcome", "cause", "vendor_code", "http_status", "attempts"))
    source, guardian = literal(Source.DESK.value).label("source"), false().label("guardian_consent")
    return select(
        *(CALL.c[name] for name in same), *of_kind, OPERATOR.c.department_id, USE.c.legal_basis, USE.c.consent, source,
        guardian,
    ).select_from(CALL.outerjoin(KIND, _OF_KIND).outerjoin(OPERATOR, _BY).outerjoin(USE, _FOR))  # fmt: skip


def entries(admin_id: int) -> Select[Any]:
    """The rows of `ledger_entry`, in the order they were drawn in: of time, at one instant of calls."""
    lot, of = CALL.c.lot_id, CALL.c.id.label("verification_id")
    covered = lot.is_not(None)
    unasked = _NOBODY.label("actor_id"), literal("").label("reason")
    holds = select(
        CALL.c.created_at.label("at"), literal(EntryKind.HOLD.value).label("kind"), lot,
        case((covered, -1), else_=0).label("change"), CALL.c.held_left.label("available_after"), of, *unasked,
    )  # fmt: skip
    released = KIND.c.answered == Billed.NO.value
    kind = case((released, EntryKind.RELEASE.value), else_=EntryKind.CHARGE.value)
    answers = select(
        CALL.c.finished_at, kind, lot, case((released & covered, 1), else_=0), CALL.c.settled_left, of, *unasked,
    ).select_from(CALL.outerjoin(KIND, _OF_KIND)).where(KIND.c.answered != Billed.UNKNOWN.value)  # fmt: skip
    decisions = select(
        SETTLED.c.at, SETTLED.c.kind, SETTLED.c.lot_id, SETTLED.c.change, SETTLED.c.left, SETTLED.c.verification_id,
        cast(literal(admin_id), RowId), literal(REASON),
    )  # fmt: skip
    return _in_time(union_all(holds, answers, decisions), "verification_id")


def records(admin_id: int, admin: str) -> Select[Any]:
    """The rows of `audit_record`, in the order of time, at one instant of calls: as `demo.records` seals them."""
    whole = literal("verification").label("object_type"), CALL.c.id.label("object_id")
    rest = true().label("success"), literal("").label("address"), literal("").label("request_id")
    actor = CALL.c.operator_id.label("actor_id"), OPERATOR.c.name.label("actor")
    sent = select(
        CALL.c.created_at.label("at"), *actor, literal(Action.VERIFICATION_SENT.value).label("action"), *whole, *rest,
        USE.c.detail,
    ).select_from(CALL.outerjoin(OPERATOR, _BY).outerjoin(USE, _FOR))  # fmt: skip
    finished = select(
        CALL.c.finished_at, *actor, literal(Action.VERIFICATION_FINISHED.value), *whole, *rest, KIND.c.detail
    ).select_from(CALL.outerjoin(OPERATOR, _BY).outerjoin(KIND, _OF_KIND))
    settled = select(
        SETTLED.c.at, cast(literal(admin_id), RowId), cast(literal(admin), String),
        literal(Action.UNKNOWN_SETTLED.value), literal("verification"), SETTLED.c.verification_id, *rest,
        SETTLED.c.detail,
    )  # fmt: skip
    return _in_time(union_all(sent, finished, settled), "object_id")


def settlements(admin_id: int) -> Select[Any]:
    """The rows of `settlement`."""
    return select(
        SETTLED.c.verification_id, SETTLED.c.decision, literal(REASON).label("reason"), SETTLED.c.at,
        cast(literal(admin_id), RowId).label("actor_id"),
    )  # fmt: skip


def found() -> CompoundSelect[Any]:
    """The rows of `staging.FOUND`."""
    columns = (CALL.c.number, Part.NUMBER), (CALL.c.name, Part.NAME), (CALL.c.last_four, Part.LAST_FOUR)
    of = CALL.c.id.label("verification_id")
    mine = [select((column * len(Part) + part.value).label("part"), of) for column, part in columns]
    placed = select(literal(Part.PLACE.value), of).select_from(CALL.outerjoin(KIND, _OF_KIND)).where(KIND.c.place)
    return union_all(*mine, placed)


def references() -> Select[Any]:
    """The rows of `staging.REFERENCE`."""
    blind = CALL.c.reference
    return select(blind.label("blind"), CALL.c.id.label("verification_id")).where(blind.is_not(None))


def _in_time(rows: CompoundSelect[Any], then: str) -> Select[Any]:
    """By time; those of one instant in the order of `then`."""
    every = rows.subquery()
    return select(every).order_by(every.c.at, every.c[then])
