"""The result card: what a reader of a verification is shown, and how much of the person."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.foundation.pages import when
from webapp.foundation.redaction import redact_text
from webapp.persons import spelling
from webapp.persons.disclosure import MASKED, Part
from webapp.persons.masking import group_number, mask_name, mask_number
from webapp.vendor.contract import Billed, Cause, Outcome
from webapp.vendor.texts import CAUSES, NEXT_STEPS, REFUSALS
from webapp.verification import declarations, texts
from webapp.verification.identities import Person
from webapp.verification.models import Reuse, Settlement, Verification

SHOWN = 2000
"""Characters of a kept answer that an admin reads."""
_DECODED = re.compile(r'("(?:province|city|county|birthday|sex|age)"\s*:\s*)("[^"]*"?|[^\s,}]+)', re.IGNORECASE)
_LONG_OR_DATE = re.compile(r"\d[\d\s./年月-]{3,}\d")
READABLE_FOR = timedelta(minutes=10)
"""How long operators read their own check in full."""


@dataclass(frozen=True, slots=True)
class Card:
    """Everything the card template shows, as text. `outcome` and `billed` are the interface's words; `original` is
    the outcome that was reused. `asked` is the present question, where `details` are those of an earlier one."""

    outcome: str
    billed: str
    tone: str
    title: str
    advice: str
    billed_text: str
    original: str = ""
    steps: list[str] = field(default_factory=list)
    """What to do next."""
    causes: list[str] = field(default_factory=list)
    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    derived: list[tuple[str, str]] = field(default_factory=list, repr=False)
    asked: list[tuple[str, str]] = field(default_factory=list, repr=False)
    details: list[tuple[str, str]] = field(default_factory=list, repr=False)
    refresh: bool = False
    raw: str = field(default="", repr=False)


def readable(row: Verification, viewer_id: int, now: datetime) -> bool:
    """Whether this viewer still sees the person in full: one's own check, for ten minutes."""
    return row.operator_id == viewer_id and timedelta(0) <= now - row.created_at < READABLE_FOR


def seconds_left(asked_at: datetime, now: datetime) -> int:
    """For how long who asked then still reads the person in full; a page that stays open masks it afterwards."""
    return max(0, math.ceil((READABLE_FOR - (now - asked_at)).total_seconds()))


def card(
    row: Verification, person: Person | None, *, full: bool, locale: str, kept: bool = False,
    decided: Settlement | None = None,
) -> Card:  # fmt: skip
    """The card of a stored verification; masked unless `full`. `person` is None where it was purged.

    `kept`: also shows, masked, an answer that nobody expected. `decided`: what an admin decided about an unknown one.
    """
    text = texts.OUTCOMES[row.outcome]
    return Card(
        outcome=row.outcome,
        billed=row.billed,
        tone=text.tone,
        title=_title(row),
        advice=_decided(decided) if decided else str(text.advice),
        billed_text=str(texts.CHARGED[row.billed]),
        steps=_steps(row, person if full else None),
        causes=[str(cause) for cause in texts.HONEST_CAUSES] if row.outcome == Outcome.NO_SUCH_NUMBER else [],
        name=_name(person, full),
        number=_number(person, full),
        derived=_derived(person, full),
        details=_details(row, person if full else None, locale),
        refresh=row.outcome == Outcome.SENDING,
        raw=_masked_answer(person) if kept and person and row.outcome == Outcome.UNEXPECTED else "",
    )


def readable_reuse(reuse: Reuse, viewer_id: int, now: datetime) -> bool:
    """As `readable`: who was shown a recent result asked about this very person."""
    return reuse.operator_id == viewer_id and timedelta(0) <= now - reuse.at < READABLE_FOR


def reused(
    reuse: Reuse, person: Person | None, reference: str, *, full: bool, whole: bool, locale: str
) -> Card:  # fmt: skip
    """The card of a recent result shown instead of a call, asked for with `reference`; not `whole`: a colleague's, of
    which only outcome and age are shown. Masked unless `full`."""
    row, text = reuse.verification, texts.OUTCOMES[reuse.verification.outcome]
    return Card(
        outcome="reused",
        original=row.outcome,
        billed=Billed.NO,
        tone=text.tone,
        title=_("%(result)s · %(age)s", result=text.title, age=_age(reuse.at - row.created_at)),
        advice=f"{text.advice} {texts.OUTCOMES['reused'].advice}",
        billed_text=str(texts.CHARGED[Billed.NO]),
        steps=_steps(row, person if full else None),
        causes=[str(cause) for cause in texts.HONEST_CAUSES] if row.outcome == Outcome.NO_SUCH_NUMBER else [],
        name=_name(person, full),
        number=_number(person, full),
        derived=_derived(person, full) if whole else [],
        asked=_asked(reuse, reference if full else "", locale),
        details=_details(row, person if full else None, locale) if whole else [],
    )


def _age(age: timedelta) -> str:
    hours, minutes = age // timedelta(hours=1), age // timedelta(minutes=1)
    if hours:
        return ngettext("reused, %(num)s hour old", "reused, %(num)s hours old", hours)
    if not minutes:
        return _("reused, just made")
    return ngettext("reused, %(num)s minute old", "reused, %(num)s minutes old", minutes)


def blocked(reason: str, advice: str = "") -> Card:
    """The card of what was not submitted: no call was sent, nothing of it is stored. `reason` is its title, `advice`
    says what to do next."""
    text = texts.OUTCOMES["blocked"]
    title = _("Not submitted: %(reason)s", reason=reason)
    advice = advice or str(text.advice)
    return Card("blocked", Billed.NO, text.tone, title, advice, str(texts.CHARGED[Billed.NO]))


def _title(row: Verification) -> str:
    if row.outcome == Outcome.REFUSED and row.cause in REFUSALS:
        return str(REFUSALS[row.cause])
    return str(texts.OUTCOMES[row.outcome].title)


def _steps(row: Verification, person: Person | None) -> list[str]:
    """What to do next; `person` only where the reader sees the name."""
    steps = []
    if row.outcome == Outcome.REFUSED and row.cause in NEXT_STEPS:
        steps.append(str(NEXT_STEPS[row.cause]))
    by_name = row.outcome == Outcome.MISMATCH or row.cause == Cause.NAME_SPECIAL
    if by_name and person is not None and spelling.worth_comparing(person.name):
        steps.append(str(texts.SPELLING))
    return steps


def _decided(decided: Settlement) -> str:
    told = texts.DECISIONS[decided.decision]
    return _("An admin has decided at %(at)s: %(decision)s.", at=when(decided.at), decision=told)


def _name(person: Person | None, full: bool) -> str:
    if person is None:
        return _("erased")
    return person.name if full else mask_name(person.name)


def _number(person: Person | None, full: bool) -> str:
    if person is None:
        return ""
    return group_number(person.number) if full else mask_number(person.number)


def _derived(person: Person | None, full: bool) -> list[tuple[str, str]]:
    """What the vendor decoded from the number; masked, what may stand beside a masked number."""
    if person is None:
        return []
    sex = str(texts.SEXES[person.sex]) if person.sex in texts.SEXES else ""
    place = " ".join(part for part in (person.province, person.city, person.county) if part)
    shown = [
        (Part.PROVINCE, _("First issued in"), place if full else person.province),
        (Part.BIRTHDAY, _("Date of birth"), _birthday(person.birthday)),
        (Part.SEX, _("Sex"), sex),
        (Part.AGE, _("Age"), person.age),
    ]
    return [(label, value) for part, label, value in shown if value and (full or part in MASKED)]


def _masked_answer(person: Person) -> str:
    """The beginning of the vendor's answer as text, without the person, what was read from the number, and anything
    that may be a piece of one or a date."""
    text = person.raw[:SHOWN].replace(person.name, mask_name(person.name)).replace(person.number, "…")
    return _LONG_OR_DATE.sub("…", _DECODED.sub(r'\1"…"', redact_text(text)))


def _birthday(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 else text


def _took(latency_ms: int | None) -> str:
    if not latency_ms:
        return ""
    if latency_ms < 1000:
        return _("%(milliseconds)s ms", milliseconds=latency_ms)
    return _("%(seconds)s s", seconds=f"{latency_ms / 1000:.1f}")


def _consent(given: Verification | Reuse) -> str:
    """How consent was given for this very question; empty where none was asked for."""
    if given.guardian_consent:
        return _("by the guardian")
    if given.declaration_id is not None:
        return _("shift declaration %(document)s", document=declarations.document(given.declaration_id))
    return _("in person") if given.consent else ""


def _asked(reuse: Reuse, reference: str, locale: str) -> list[tuple[str, str]]:
    shown = [
        (_("Time"), when(reuse.at)),
        (_("Operator"), reuse.operator.name),
        (_("Purpose"), reuse.verification.purpose.name_in(locale)),
        (_("Consent given"), _consent(reuse)),
        (_("Reference"), reference),
    ]
    return [(label, value) for label, value in shown if value]


def _details(row: Verification, person: Person | None, locale: str) -> list[tuple[str, str]]:
    shown = [
        (_("Time"), when(row.created_at)),
        (_("Operator"), row.operator.name),
        (_("Department"), row.department.name if row.department else ""),
        (_("Purpose"), row.purpose.name_in(locale)),
        (_("Legal basis"), str(texts.LEGAL_BASES[row.legal_basis])),
        (_("Consent given"), _consent(row)),
        (_("Reference"), person.reference if person else ""),
        (_("Cause"), str(CAUSES[row.cause]) if row.cause in CAUSES and row.outcome != Outcome.REFUSED else ""),
        (_("Vendor's code"), row.vendor_code),
        (_("HTTP status"), str(row.http_status) if row.http_status and row.http_status != 200 else ""),
        (_("Vendor's request id"), row.request_id),
        (_("Time taken"), _took(row.latency_ms)),
    ]
    return [(label, value) for label, value in shown if value]
