"""The words of receipts, in both languages."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.receipts.paper import Slip
from webapp.vendor.contract import Outcome
from webapp.verification.texts import OUTCOMES

LIMITS: dict[str, LazyString] = {
    Outcome.MATCH: OUTCOMES[Outcome.MATCH].advice,
    Outcome.MISMATCH: _l(
        "Name and number, as they were entered, do not belong together. This does not prove a forged document."
    ),
    Outcome.NO_SUCH_NUMBER: _l(
        "This does not prove a forged document: military service, a moved household registration or a changed name "
        "are possible, among others."
    ),
}
"""What a conclusion says of the person, and what it does not."""

NUMBER_SLIPS: dict[str, LazyString] = {
    Slip.EMPTY: _l("Enter the receipt number."),
    Slip.LENGTH: _l("A receipt number has 12 characters."),
    Slip.CHARACTERS: _l("A receipt number has digits and letters only."),
    Slip.CHECK: _l("This is no receipt number: one of its characters was mistyped."),
}
SECRET_SLIPS: dict[str, LazyString] = {
    Slip.EMPTY: _l("Enter the proof code that is printed on the receipt."),
    Slip.LENGTH: _l("A proof code has 27 characters."),
    Slip.CHARACTERS: _l("A proof code has digits and letters only."),
    Slip.CHECK: _l("This is no proof code: one of its characters was mistyped."),
}


def age(passed: timedelta) -> str:
    """How old a result was when it was shown again."""
    hours, minutes = passed // timedelta(hours=1), passed // timedelta(minutes=1)
    if hours:
        return ngettext("%(num)s hour earlier", "%(num)s hours earlier", hours)
    if minutes:
        return ngettext("%(num)s minute earlier", "%(num)s minutes earlier", minutes)
    return _("less than a minute earlier")
