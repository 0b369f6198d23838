"""Forms of accounts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp, ValidationError

from webapp.accounts import passwords
from webapp.accounts.models import Role
from webapp.accounts.operations import Profile
from webapp.foundation.forms import Form, options, plain_text, stripped

ROLES = [(Role.ADMIN.value, _l("Admin")), (Role.OPERATOR.value, _l("Operator")), (Role.AUDITOR.value, _l("Auditor"))]
EMAIL = [
    plain_text,
    InputRequired(_l("Enter a mail address.")),
    Length(max=254),
    Regexp(r"^\s*[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}\s*$", message=_l("This is not a mail address.")),
]


def sound_password(form: Form, field: Field) -> None:
    """A validator: the rules for a new password."""
    fault = passwords.fault(field.data or "", form.email.data or "" if "email" in form else "")
    if fault:
        raise ValidationError(fault)


PASSWORD = [InputRequired(_l("Enter the password.")), Length(max=200)]
NEW_PASSWORD = [InputRequired(_l("Enter the password.")), sound_password]


class LoginForm(Form):
    """Mail address and password."""

    email = StringField(
        _l("Mail address"), validators=[InputRequired(_l("Enter a mail address.")), Length(max=254), plain_text]
    )
    password = PasswordField(_l("Password"), validators=PASSWORD)


class UnlockForm(Form):
    """The password of whose desk is locked."""

    password = PasswordField(_l("Password"), validators=PASSWORD)


class FirstRunForm(Form):
    """The first admin, by the one-time code printed at start."""

    code = StringField(
        _l("One-time code"),
        validators=[InputRequired(_l("Enter the code printed at start.")), Length(max=40)],
        description=_l("The program printed it when it started."),
    )
    name = StringField(_l("Name"), filters=[stripped], validators=[Length(max=80), plain_text])
    email = StringField(_l("Mail address"), validators=EMAIL)
    password = PasswordField(_l("Password"), validators=NEW_PASSWORD)

    def profile(self) -> Profile:
        """The admin to make."""
        return Profile(self.name.data or "", self.email.data or "", Role.ADMIN)


class PasswordForm(Form):
    """A user's own new password."""

    current_password = PasswordField(_l("Present password"), validators=PASSWORD)
    new_password = PasswordField(_l("New password"), validators=NEW_PASSWORD)


class UserForm(Form):
    """A new user, or changes to one (`password` empty: it stays)."""

    name = StringField(
        _l("Name"), filters=[stripped], validators=[DataRequired(_l("Enter the name.")), Length(max=80), plain_text]
    )
    email = StringField(_l("Mail address"), filters=[stripped], validators=EMAIL)
    role = SelectField(_l("Role"), choices=options(ROLES))
    department = StringField(_l("Department"), filters=[stripped], validators=[Length(max=80), plain_text],
                             description=_l("Verifications keep the department of their time."))  # fmt: skip
    password = PasswordField(_l("Password"))

    def profile(self) -> Profile:
        """What the form says about the user."""
        active = self.active.data if hasattr(self, "active") else True
        name, email, department = self.name.data or "", self.email.data or "", self.department.data or ""
        return Profile(name, email, Role(self.role.data), department, active)


class NewUserForm(UserForm):
    """A new user."""

    password = PasswordField(_l("Password"), validators=NEW_PASSWORD)


class EditUserForm(UserForm):
    """Changes to a user."""

    password = PasswordField(_l("New password"), validators=[Optional(), sound_password],
                             description=_l("Leave empty to keep the present one."))  # fmt: skip
    active = BooleanField(_l("May log in"))
