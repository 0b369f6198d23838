"""Asking again who sits at the desk before what a session left open must not do alone (NIST SP 800-63B, 4.2.3).

What counts as proof is decided here and nowhere else: the password, once in a quarter of an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user
from wtforms import PasswordField

from webapp.accounts import operations
from webapp.accounts.forms import PASSWORD
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.database import transaction
from webapp.foundation.forms import Form
from webapp.foundation.instance import this_instance

LASTING = timedelta(minutes=15)
PROVEN_AT = "proven_at"
"""Name in the signed session; a log-in, a log-out and a hand-over forget it."""


def is_fresh(now: datetime) -> bool:
    """Whether the user of this session has proven lately who they are."""
    return timedelta(0) <= timedelta(seconds=int(now.timestamp()) - int(session.get(PROVEN_AT, 0))) < LASTING


class ProvenForm(Form):
    """A form that only its user may send: it asks for the own password, unless that was given lately."""

    password = PasswordField(_l("Your own password"), validators=PASSWORD)

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self._now = now
        if is_fresh(now):
            del self.password

    def proven(self) -> bool:
        """Whether the user is proven; else says beside the field what is wrong. Failures count as failed log-ins."""
        if "password" not in self:
            return True
        heard = operations.hear(
            current_user.email, self.password.data or "", who(), this_instance().sealer, self._now,
            Action.REAUTHENTICATION_FAILED,
        )  # fmt: skip
        if heard.user is not None:
            session[PROVEN_AT] = int(self._now.timestamp())
            with transaction():
                append(who(), Action.REAUTHENTICATED, self._now, on=("user", heard.user.id))
            del self.password
            return True
        self.password.errors = [_wrong(heard.wait)]
        return False


def _wrong(wait: int) -> str:
    if not wait:
        return _("The password is wrong.")
    return ngettext("Too many attempts. Please try again in %(num)s second.",
                    "Too many attempts. Please try again in %(num)s seconds.", wait)  # fmt: skip
