"""What the desk says beside its fields: for the page, and for the script that says the same while one types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from flask_babel import LazyString, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.foundation.pages import when
from webapp.persons import id_numbers, names, regions
from webapp.persons.id_numbers import NumberWarning
from webapp.persons.masking import group_number
from webapp.persons.names import NameWarning
from webapp.verification.models import Purpose, ShiftDeclaration
from webapp.verification.texts import SEXES

NAME_WARNINGS: dict[str, LazyString] = {
    NameWarning.DIGITS: _l("The name holds digits. Is it written so on the card?"),
    NameWarning.LETTERS: _l("The name holds letters that are no Chinese characters. Is it written so on the card?"),
    NameWarning.PUNCTUATION: _l("The name holds blanks or punctuation. Is it written so on the card?"),
    NameWarning.SYMBOLS: _l("The name holds signs that are no Chinese characters. Is it written so on the card?"),
}
NUMBER_WARNINGS: dict[str, LazyString] = {
    NumberWarning.RESIDENCE_PERMIT: _l(
        "This is the number of a residence permit for Hong Kong, Macao or Taiwan. The vendor may not know it."
    ),
    NumberWarning.FOREIGNER: _l(
        "This is the number of a foreigner's permanent residence card. The vendor may not know it."
    ),
    NumberWarning.LOST_DIGITS: _l(
        "The number ends in 000: a spreadsheet writes zeros where it has lost digits. Compare it with the card."
    ),
}
CONVERTED = _l("Made from the 15 digits of a first-generation card. Compare it with the card, then verify.")
CONFIRM = _l("The card says 000 at the end")
UNCONFIRMED = _l("Compare the last digits with the card, then tick the box below.")
MISSING = {
    "confirmed": UNCONFIRMED,
    "consent": _l("Ask the person for consent first, then tick this box."),
    "guardian_consent": _l("The person is under 14: ask the guardian for consent first, then tick this box."),
    "reference": _l("This purpose needs a reference: enter your own case number."),
}
"""What is said at a tick or a text that is needed and was left empty."""
DESTROYED = _l("A spreadsheet has destroyed this number. Type it from the card.")

_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E[+]?[0-9]+", re.IGNORECASE)


class Said(NamedTuple):
    """What a number says by itself. `key` is the hook that the script fills too."""

    key: str
    label: str
    value: str


def destroyed(number: str) -> bool:
    """Whether a faulty number is what a spreadsheet leaves of one: 1.10105E+17, or zeros for the last digits."""
    lost = NumberWarning.LOST_DIGITS in id_numbers.warnings(number)
    return lost or _SCIENTIFIC.fullmatch(number) is not None


def cautions(name: str, number: str) -> dict[str, list[str]]:
    """What to ask about before a call is spent, by field; never a reason to block."""
    return {
        "name": [str(NAME_WARNINGS[warning]) for warning in names.warnings(name)],
        "id_number": [str(NUMBER_WARNINGS[warning]) for warning in id_numbers.warnings(number)],
    }


def reading(number: str, today: date) -> list[Said]:
    """What a number without fault says; the labels alone for any other."""
    told = id_numbers.read(number) if number and id_numbers.faults(number, today) is None else None
    region = regions.find(told.region, told.birth_date.year) if told else None
    return [
        Said("number", _("Number"), group_number(number) if told else ""),
        Said("region", _("Region"), _place(region) if told else ""),
        Said("born", _("Date of birth"), told.birth_date.isoformat() if told else ""),
        Said("age", _("Age today"), str(id_numbers.age(told.birth_date, today)) if told else ""),
        Said("sex", _("Sex"), str(SEXES[told.sex]) if told else ""),
    ]


def declared(standing: Mapping[int, ShiftDeclaration], purposes: Mapping[int, Purpose]) -> str:
    """Beside the tick of consent: which document stands for it when it is left empty, and until when."""
    told = [
        _("%(purpose)s: %(document)s, until %(until)s", purpose=purposes[key].name_in(str(get_locale())),
          document=one.document, until=when(one.until))
        for key, one in standing.items() if key in purposes
    ]  # fmt: skip
    return _("Left empty, your shift declaration stands for it (%(told)s).", told="; ".join(told)) if told else ""


def texts(name_faults: Mapping[str, LazyString], number_faults: Mapping[str, LazyString]) -> dict[str, object]:
    """All that the script needs to speak the reader's language."""
    return {
        "name": {"faults": _plain(name_faults), "warnings": _plain(NAME_WARNINGS)},
        "id_number": {"faults": _plain(number_faults), "warnings": _plain(NUMBER_WARNINGS)},
        "converted": str(CONVERTED),
        "destroyed": str(DESTROYED),
        "missing": _plain(MISSING),
        "sexes": _plain(SEXES),
        "until": _("{place} (code used until {year})"),
        "nowhere": _unlisted(),
    }


def _place(region: regions.Region | None) -> str:
    if region is None:
        return _unlisted()
    place = " ".join(region.places)
    return _("{place} (code used until {year})").format(place=place, year=region.until) if region.until else place


def _unlisted() -> str:
    return _("not in the table")


def _plain(table: Mapping[str, LazyString]) -> dict[str, str]:
    return {str(key): str(text) for key, text in table.items()}
