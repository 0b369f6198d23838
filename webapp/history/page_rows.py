"""The rows of the history's page, in the reader's words. What many rows share is put into words once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import get_template_attribute, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from webapp.foundation.clock import wall_time
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import CannotOpen
from webapp.history.facts import Row
from webapp.history.forms import HistoryForm
from webapp.persons.masking import mask_name, mask_number
from webapp.verification.identities import name_and_number
from webapp.verification.texts import CHARGED, OUTCOMES, SOURCES


class Shown(NamedTuple):
    """A verification as it stands in the list."""

    id: int
    url: str
    when: str
    outcome: str
    badge: Markup
    name: str
    number: str
    charge: Markup
    purpose: str
    operator: str
    department: str
    source: str


def shown(found: Sequence[Row], form: HistoryForm, instance: Instance) -> list[Shown]:
    """Each row opened, masked, in words. `form` knows the names of operators, departments and purposes."""
    badge, mark = (get_template_attribute("macros.html", name) for name in ("outcome_badge", "billed_mark"))
    badges = {one: badge(one, str(OUTCOMES[one].label)) for one in {row.outcome for row in found}}
    charges = {one: mark(one, str(CHARGED[one])) for one in {row.billed for row in found}}
    sources = {one: str(SOURCES[one]) for one in {row.source for row in found}}
    operators, departments, purposes = (form.labels(name) for name in ("operator", "department", "purpose"))
    page, zone = url_for("verification.result", id=0).removesuffix("0"), instance.settings.zone
    return [
        Shown(
            row.id, f"{page}{row.id}", wall_time(row.created_at, zone), row.outcome,
            badges[row.outcome], *_person(row, instance), charges[row.billed], purposes[row.purpose_id],
            operators[row.operator_id], departments[row.department_id] if row.department_id else "",
            sources[row.source],
        )
        for row in found
    ]  # fmt: skip


def _person(row: Row, instance: Instance) -> tuple[str, str]:
    if row.sealed is None:
        return _("erased"), ""
    try:
        name, number = name_and_number(row.id, row.sealed, instance.sealer)
    except CannotOpen:  # one row that was changed or moved keeps nobody from reading the others
        return _("does not open"), ""
    return mask_name(name), mask_number(number)
