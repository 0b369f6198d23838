"""The form that asks for somebody in plaintext."""

from __future__ import annotations

import secrets
from datetime import datetime

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from webapp.accounts.reauthentication import ProvenForm
from webapp.foundation.forms import options, plain_text, stripped
from webapp.history.reveal_rules import Reason
from webapp.history.reveal_texts import REASONS

WORDS = [InputRequired(_l("Say in a few words why.")), Length(min=5, max=200), plain_text]
HINT = _l("For example a case number. No names or numbers of people: auditors read this.")


class ReasonedForm(ProvenForm):
    """A listed reason and words."""

    reason = SelectField(_l("Reason"), choices=options([("", "–"), *((one.value, REASONS[one]) for one in Reason)]),
                         validators=[InputRequired(_l("Choose a reason."))])  # fmt: skip
    words = StringField(_l("In your words"), filters=[stripped], validators=WORDS, description=HINT)


class RevealForm(ReasonedForm):
    """Why one person is to be shown, and a number used once: a page that is loaded again reveals nothing."""

    nonce = HiddenField(validators=[InputRequired(), Regexp(r"^[A-Za-z0-9_-]{20,32}\Z")])

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.nonce.data = self.nonce.data or secrets.token_urlsafe(16)

    def begin_again(self) -> None:
        """Makes a refused form one that was not sent yet, without its words."""
        self.nonce.data, self.words.data = secrets.token_urlsafe(16), ""
