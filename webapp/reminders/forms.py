"""Forms of the reminders: recipients, the test mail, the mail server."""

from __future__ import annotations

import re
from dataclasses import replace

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from webapp.foundation.forms import Form, options, plain_text, stripped
from webapp.foundation.smtp_url import MailServer, Security
from webapp.reminders.texts import SECURITIES

LOCALES = [("zh_CN", "中文"), ("en", "English")]
ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}"
SHAPE = Regexp(rf"^{ADDRESS}\Z", message=_l("This is not a mail address."))
"""ASCII only: few mail servers take other addresses, and the rest would refuse them for good."""


class EmailForm(Form):
    """A mail address: of a new recipient, or for a test."""

    email = StringField(_l("Mail address"), filters=[stripped],
                        validators=[InputRequired(_l("Enter a mail address.")), Length(max=254), SHAPE])  # fmt: skip
    locale = SelectField(_l("Language"), choices=options(LOCALES), validators=[Optional()])

    def first_error(self) -> str:
        """What is wrong, for a message: this form stands among others on its page."""
        return str(next(text for errors in self.errors.values() for text in errors))


class ChoiceForm(Form):
    """What a recipient is told of, and in which language."""

    low = BooleanField(_l("Low balance"))
    expiry = BooleanField(_l("End of a lot"))
    locale = SelectField(_l("Language"), choices=options(LOCALES))


class MailServerForm(Form):
    """Where mails are handed over. It is tried before it is stored."""

    host = StringField(
        _l("Server"),
        filters=[stripped],
        validators=[InputRequired(_l("Enter the server's name.")), Length(max=200), plain_text],
    )
    port = IntegerField(_l("Port"), validators=[InputRequired(_l("Enter a port.")), NumberRange(1, 65535)])
    security = SelectField(_l("Encryption"), choices=options(SECURITIES))
    user = StringField(_l("User name"), filters=[stripped], validators=[Length(max=200), plain_text],
                       description=_l("Most hosts want the full mail address. Empty: no log-in."))  # fmt: skip
    password = PasswordField(
        _l("Password"),
        validators=[Length(max=200)],
        description=_l(
            "Left empty, the stored one is kept while server, port and user stay the same and stay encrypted."
        ),
    )
    sender = StringField(_l("Sender"), filters=[stripped], validators=[Length(max=254)],
                         description=_l("Empty: the user name. Most hosts accept no other."))  # fmt: skip
    test_to = StringField(_l("Send a test mail to"), filters=[stripped],
                          validators=[InputRequired(_l("Enter a mail address.")), Length(max=254), SHAPE],
                          description=_l("The settings are stored once the server has taken this mail."))  # fmt: skip

    def validate_host(self, field: Field) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}|[0-9A-Fa-f:.]{2,45}", field.data or ""):
            raise ValidationError(_("Enter the name of a server, without smtp:// and port."))

    def validate_sender(self, field: Field) -> None:
        if field.data and not re.fullmatch(ADDRESS, field.data):
            raise ValidationError(_("This is not a mail address."))
        if not field.data and not re.fullmatch(ADDRESS, self.user.data or ""):
            raise ValidationError(_("Enter a sender: the user name is no mail address."))

    def server(self, stored: MailServer | None) -> MailServer:
        """What the valid form says; the stored password is only ever sent to the server it was stored for, and
        never in the clear where it went encrypted."""
        host, port, user = self.host.data or "", self.port.data or 0, self.user.data or ""
        password = self.password.data or ""
        server = MailServer(host, port, Security(self.security.data), user, password if user else "")
        if not password and user and stored is not None and _may_have_password(server, stored):
            return replace(server, password=stored.password)
        return server


def _may_have_password(server: MailServer, stored: MailServer) -> bool:
    same = (stored.host, stored.port, stored.user) == (server.host, server.port, server.user)
    return same and (server.security != Security.NONE or stored.security == Security.NONE)
