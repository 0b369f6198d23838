"""The filters of the ledger, read from the address: a wrong one is said beside its field and shows nothing."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.validators import Optional

from webapp.accounts import queries as accounts
from webapp.foundation.forms import CalendarField, FilterForm, FilterList, not_before, options, sound_day
from webapp.quota import queries
from webapp.quota.entry_table import KINDS
from webapp.quota.ledger_queries import Filters
from webapp.quota.models import EntryKind

SUPPLY = "supply"
"""In the place of a kind: every entry that is of no call."""


class LedgerForm(FilterForm):
    """Filters of /quota/ledger and of its file."""

    kind = FilterList(_l("Entry"))
    lot = FilterList(_l("Lot"))
    person = FilterList(_l("By"))

    def offer(self) -> None:
        """Fills the choices."""
        everything = ("", _("All"))
        people = sorted((user.name, str(user.id)) for user in accounts.users())
        self.kind.choices = options([everything, (SUPPLY, _("All but calls")), *KINDS.items()])
        self.lot.choices = options([everything, *((str(lot.id), lot.name) for lot in queries.lots())])
        self.person.choices = options([everything, *((number, name) for name, number in people)])

    def filters(self) -> Filters:
        """What the valid form asks for."""
        kind = self.kind.data or None
        return Filters(
            kind=EntryKind(kind) if kind and kind != SUPPLY else None, supply_only=kind == SUPPLY,
            lot=int(self.lot.data) if self.lot.data else None,
            actor=int(self.person.data) if self.person.data else None,
            first=self["from"].data, last=self["to"].data,
        )  # fmt: skip

    @property
    def asked(self) -> dict[str, str]:
        """The valid form as the arguments of an address."""
        return {field.name: str(field.data) for field in self if field.data}


# `from` is a word of Python: the fields are set by name.
setattr(LedgerForm, "from", CalendarField(_l("From"), validators=[Optional(), sound_day]))
LedgerForm.to = CalendarField(_l("Until"), validators=[Optional(), sound_day, not_before])
