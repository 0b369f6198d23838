"""What a receipt says, as text: on its page, on paper, and to who has proven it."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import current_app
from flask_babel import gettext as _

from webapp.foundation import runtime
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import when
from webapp.persons.masking import mask_name, mask_number
from webapp.receipts import commitment, paper, queries, texts
from webapp.receipts.commitment import Secret
from webapp.receipts.models import Receipt
from webapp.verification.texts import LEGAL_BASES, OUTCOMES


@dataclass(frozen=True, slots=True)
class Sheet:
    """A receipt. `name`, `id_number` (masked) and `secret` are empty once the identity is gone."""

    number: str
    unit: str
    outcome: str
    tone: str
    title: str
    limit: str
    at: str
    reused: str
    rows: list[tuple[str, str]]
    address: str
    name: str = field(default="", repr=False)
    id_number: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


def describe(receipt: Receipt, secret: Secret | None, locale: str) -> Sheet:
    """The receipt for who may see its result; masked, the printed code in full."""
    row, text = receipt.verification, OUTCOMES[receipt.verification.outcome]
    return Sheet(
        number=paper.grouped(receipt.number),
        unit=receipt.unit,
        outcome=row.outcome,
        tone=text.tone,
        title=str(text.title),
        limit=str(texts.LIMITS[row.outcome]),
        at=_in_zone(when(row.created_at)),
        reused=_reused(receipt),
        rows=_rows(receipt, locale),
        address=address(),
        name=mask_name(secret.name) if secret else "",
        id_number=mask_number(secret.id_number) if secret else "",
        secret=commitment.write_salt(secret.salt) if secret else "",
    )


def address() -> str:
    """Where a paper can be verified, as it is printed; empty where nobody said where this product is opened."""
    instance = this_instance()
    public = runtime.value("YULIANG_PUBLIC_URL", instance.settings, instance.sealer)
    path = current_app.url_map.bind("yuliang").build("receipts.verify")
    return f"{public}{path}" if public else ""


def _rows(receipt: Receipt, locale: str) -> list[tuple[str, str]]:
    row, reuse = receipt.verification, receipt.reuse
    operator = reuse.operator.name if reuse else row.operator.name
    department = receipt.department.name if receipt.department else ""
    purpose = _("%(purpose)s (legal basis: %(basis)s)", purpose=row.purpose.name_in(locale),
                basis=LEGAL_BASES[row.legal_basis])  # fmt: skip
    shown = [
        (_("Verified at"), _in_zone(when(row.created_at))),
        (_("Shown again at"), _in_zone(when(reuse.at)) if reuse else ""),
        (_("Purpose"), purpose),
        (_("Operator"), " · ".join(filter(None, (operator, department)))),
        (_("Vendor's request id"), row.request_id or "–"),
        (_("Issued at"), _in_zone(when(receipt.issued_at))),
    ]
    return [(label, value) for label, value in shown if value]


def _reused(receipt: Receipt) -> str:
    """That a recent result was shown instead of a new call, and which receipt is the original's."""
    if receipt.reuse is None:
        return ""
    original, row = queries.of_verification(receipt.verification_id), receipt.verification
    return _(
        "No new call: the result of %(at)s (%(age)s) was reused. Original receipt: %(number)s", at=when(row.created_at),
        age=texts.age(receipt.reuse.at - row.created_at), number=paper.grouped(original.number) if original else "–",
    )  # fmt: skip


def _in_zone(instant: str) -> str:
    return _("%(instant)s (%(zone)s)", instant=instant, zone=this_instance().settings.timezone)
