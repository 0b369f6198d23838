"""The words for outcomes, charges and legal bases, as people read them (one vocabulary, both languages)."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.vendor.contract import Billed, Outcome
from webapp.verification.cap_rules import CapKind
from webapp.verification.models import Decision, LegalBasis, Source


class OutcomeText(NamedTuple):
    """An outcome's short label, and the card's title and advice."""

    label: LazyString
    title: LazyString
    advice: LazyString
    tone: str


OUTCOMES: dict[str, OutcomeText] = {
    Outcome.MATCH: OutcomeText(
        _l("Match"), _l("The details match"),
        _l("Name and number belong together. This does not prove that the person present is the holder."), "good"),
    Outcome.MISMATCH: OutcomeText(
        _l("Mismatch"), _l("The details do not match"),
        _l("Compare name and number with the document."), "bad"),
    Outcome.NO_SUCH_NUMBER: OutcomeText(
        _l("No such number"), _l("No such number"),
        _l("This does not mean a forged document. Please check by hand; there are honest causes."), "warn"),
    Outcome.INVALID_INPUT: OutcomeText(
        _l("Invalid input"), _l("The vendor did not accept the input"),
        _l("Name or number is not in the form the vendor accepts. Please check the document."), "warn"),
    Outcome.MAINTENANCE: OutcomeText(
        _l("Vendor maintenance"), _l("The vendor is under maintenance"),
        _l("This has nothing to do with the person. Please try again later."), "warn"),
    Outcome.REFUSED: OutcomeText(
        _l("Refused"), _l("The call was refused"),
        _l("This has nothing to do with the person."), "warn"),
    Outcome.UNKNOWN: OutcomeText(
        _l("Unknown"), _l("The outcome is unknown"),
        _l("The call may have been charged. Do not submit again; an admin has been told."), "warn"),
    Outcome.UNEXPECTED: OutcomeText(
        _l("Unexpected"), _l("Unexpected answer"),
        _l("This is no conclusion about the person. An admin has been told."), "warn"),
    Outcome.SENDING: OutcomeText(
        _l("Under way"), _l("The call is under way"),
        _l("This page renews itself. Do not submit again."), "pending"),
    "blocked": OutcomeText(_l("Not submitted"), _l("Not submitted"), _l("No call was sent."), "neutral"),
    "reused": OutcomeText(_l("Reused"), _l("A recent result"), _l("No call was sent."), "neutral"),
}  # fmt: skip

HONEST_CAUSES: tuple[LazyString, ...] = (
    _l("Serving in the military, or just discharged"),
    _l("A household registration being moved"),
    _l("A recent change of name"),
    _l("Emigration"),
    _l("No second-generation identity card yet"),
    _l("Death"),
)
"""What the vendor's 0007 can honestly mean."""

SPELLING = _l("Compare how the name is written on the card: the dot between its parts, rare characters, letters.")

CHARGED: dict[str, LazyString] = {
    Billed.YES: _l("Charged"),
    Billed.NO: _l("Not charged"),
    Billed.UNKNOWN: _l("Charge not yet known"),
}
LEGAL_BASES: dict[str, LazyString] = {
    LegalBasis.CONSENT: _l("consent"),
    LegalBasis.CONTRACT: _l("contract"),
    LegalBasis.LEGAL_DUTY: _l("legal duty"),
    LegalBasis.EMERGENCY: _l("emergency"),
}
DECISIONS: dict[str, LazyString] = {
    Decision.CHARGED: _l("It was charged"),
    Decision.NOT_CHARGED: _l("It was not charged"),
    Decision.ASK_AGAIN: _l("Ask again: the person may be asked about anew"),
}
SOURCES: dict[str, LazyString] = {Source.DESK: _l("Desk")}
CAP_KINDS: dict[str, LazyString] = {
    CapKind.OPERATOR: _l("Operator"),
    CapKind.DEPARTMENT: _l("Department"),
    CapKind.SOURCE: _l("Source"),
}
SEXES: dict[str, LazyString] = {"M": _l("male"), "F": _l("female")}
