"""The tour of a sandbox: for every result card a name and a number that bring it about.

Each look at it gives other numbers, made for a single use: whoever practises beside, or for the second time, meets
the same cards again. What practising must not cause stands in `practising`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.vendor.contract import Outcome
from webapp.vendor.sandbox import people
from webapp.verification import identities
from webapp.verification.cards import READABLE_FOR
from webapp.verification.models import Verification
from webapp.verification.texts import OUTCOMES

NAMES: tuple[str, ...] = tuple(
    surname + given.replace("小", small)
    for small in "小晓"
    for surname in people.TOUR_SURNAMES
    for given in people.TOUR_GIVEN_NAMES
)
"""Every name that the tour makes, the mistyped ones last."""
_BORN_FROM, _DAYS = date(1960, 1, 1), 14_000


class Step(NamedTuple):
    """One card: whom to verify, and what there is to learn."""

    outcome: str
    name: str
    number: str
    note: LazyString

    @property
    def label(self) -> LazyString:
        return OUTCOMES[self.outcome].label


def steps(chance: Random, matched: tuple[str, str] | None) -> tuple[Step, ...]:
    """The steps, with fresh numbers; `matched`: whom the reader has met a match for, and would now meet again."""
    again = _l("The same person again: the recent result is shown, and no call is spent.")
    first = _l("Take the first step before this one: only what was verified just now can be shown again.")
    number, other = _number(chance, people.TOUR_PEOPLE), _number(chance, people.TOUR_PEOPLE)
    name, right = people.tour_name(number), people.tour_name(other)
    mend = _l("The card says %(name)s: mend the name on the result's page, and verify again.", name=right)
    return (
        Step(Outcome.MATCH, name, number, _l("A match does not prove that the person present is the holder.")),
        Step("reused", *(matched or (name, number)), again if matched else first),
        Step("blocked", name, _mistyped(number), _l("A mistyped last digit is found here, before anything is sent.")),
        Step(Outcome.MISMATCH, right.replace("小", "晓"), other, mend),
        Step(Outcome.NO_SUCH_NUMBER, name, _number(chance, people.TOUR_NOBODY),
             _l("Read the honest causes before you speak.")),
        _failing(chance, Outcome.INVALID_INPUT, "演练特殊字符",
                 _l("The vendor refuses the spelling; the card decides.")),
        _failing(chance, Outcome.UNEXPECTED, "演练未知编码五",
                 _l("Something the manual does not know: no conclusion.")),
        _failing(chance, Outcome.UNKNOWN, "演练后端超时",
                 _l("The call may have been charged: do not send it again.")),
        _failing(chance, Outcome.REFUSED, "演练限流次数",
                 _l("Too fast, even after some tries: not the person's fault.")),
        _failing(chance, Outcome.MAINTENANCE, "演练系统维护",
                 _l("Calls stop for everyone: here for 20 seconds, in earnest for a minute and longer.")),
    )  # fmt: skip


def matched(operator_id: int, instance: Instance, now: datetime) -> tuple[str, str] | None:
    """The person of the tour whom this operator's newest match is about, for as long as they read it in full."""
    newest = (
        select(Verification.id)
        .where(
            Verification.operator_id == operator_id,
            Verification.outcome == Outcome.MATCH,
            Verification.created_at > now - READABLE_FOR,
        )
        .order_by(Verification.created_at.desc(), Verification.id.desc())
        .limit(1)
    )
    found = db.session.scalar(newest)
    person = identities.open_person(found, instance.sealer) if found is not None else None
    return (person.name, person.number) if person and people.of_tour(person.number) else None


def _failing(chance: Random, outcome: str, name: str, note: LazyString) -> Step:
    return Step(outcome, name, _number(chance, people.TOUR_PEOPLE), note)


def _number(chance: Random, region: str) -> str:
    """A number that nobody has tried yet, as good as surely; never one that ends as if a spreadsheet had cut it."""
    sequence = chance.randint(0, 9) * 100 + chance.randint(1, 99)
    return people.tour_number(region, _BORN_FROM + timedelta(days=chance.randrange(_DAYS)), sequence)


def _mistyped(number: str) -> str:
    return number[:17] + ("1" if number[17] != "1" else "2")
