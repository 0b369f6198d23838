"""What is handed out to a person about themselves, in words."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask_babel import get_locale
from flask_babel import gettext as _

from webapp.foundation import runtime
from webapp.foundation.instance import Instance
from webapp.foundation.pages import when
from webapp.persons.masking import mask_name
from webapp.receipts import paper
from webapp.retention.holds import Subject
from webapp.retention.rights import Entry
from webapp.verification.texts import CHARGED, LEGAL_BASES, OUTCOMES, SEXES


class Block(NamedTuple):
    """One verification: a heading, lines of label and value, and the vendor's answer as it came."""

    title: str
    lines: list[tuple[str, str]]
    raw: str


def unit(instance: Instance) -> str:
    """Who hands it out; empty where nobody said."""
    return str(runtime.value("YULIANG_UNIT_NAME", instance.settings, instance.sealer))


def entry(found: Entry, subject: Subject) -> Block:
    """One verification. A name that is not the person's own may be somebody else's: it is masked."""
    fact, person = found.fact, found.person
    own = person.name == subject.name
    consent = _("yes") if fact.consent else _("not asked: other legal basis")
    lines = [
        (_("Name"), person.name if own else _("%(name)s (another name was entered)", name=mask_name(person.name))),
        (_("ID number"), person.number),
        (_("Verified at"), when(fact.created_at)),
        (_("Outcome"), str(OUTCOMES[fact.outcome].title)),
        (_("Charged"), str(CHARGED[fact.billed])),
        (_("Purpose"), fact.purpose.name_in(str(get_locale()))),
        (_("Legal basis"), str(LEGAL_BASES[fact.legal_basis])),
        (_("Consent"), consent),
        (_("Department"), fact.department.name if fact.department else ""),
        (_("Reference"), person.reference),
        (_("Province"), person.province), (_("City"), person.city), (_("County"), person.county),
        (_("Birthday"), person.birthday), (_("Sex"), str(SEXES.get(person.sex, person.sex))), (_("Age"), person.age),
        (_("Vendor's request id"), fact.request_id),
        (_("Result shown again at"), ", ".join(_shown(*one) for one in found.reused)),
        (_("Receipts"), ", ".join(map(paper.grouped, found.receipts))),
    ]  # fmt: skip
    title = _("Verification %(id)s", id=fact.id)
    raw = person.raw if own else ""
    return Block(title, [(label, value) for label, value in lines if value], raw)


def _shown(at: datetime, reference: str) -> str:
    return _("%(at)s (reference %(reference)s)", at=when(at), reference=reference) if reference else when(at)
