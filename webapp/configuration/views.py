"""The settings page: every setting with its value and source; the run-time ones can be changed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import Length, ValidationError

from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation import runtime
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.forms import Form, plain_text, stripped
from webapp.foundation.instance import this_instance
from webapp.foundation.limits import limits_text
from webapp.foundation.values import appcode
from webapp.vendor import circuit

bp = Blueprint("configuration", __name__)

UNIT = "YULIANG_UNIT_NAME"
CONSOLE = "https://market.console.aliyun.com/imageconsole/index.htm"
PRODUCT_PAGE = "https://market.aliyun.com/products/57000002/cmapi025518.html"
"""Manual, sections 1 and 3."""

SOURCES: dict[str, LazyString] = {
    "environment": _l("fixed by the environment"),
    "database": _l("stored here"),
    "default": _l("default"),
}


class AppCodeForm(Form):
    """The AppCode of the subscription. It is sealed and never shown again."""

    appcode = PasswordField(_l("AppCode"), filters=[stripped], validators=[Length(max=200)],
                            description=_l("From the vendor's console. Buying again does not change it."))  # fmt: skip
    forget = BooleanField(_l("Forget the stored AppCode"))

    def validate_appcode(self, field: PasswordField) -> None:
        if self.forget.data:
            return
        try:
            appcode(field.data or "")
        except ValueError:
            raise ValidationError(_("Enter the AppCode itself: letters, digits and signs without spaces.")) from None


class UnitForm(Form):
    """What stands on top of every receipt."""

    unit_name = StringField(_l("Name of your unit"), filters=[stripped], validators=[Length(max=80), plain_text],
                            description=_l("Printed on receipts from now on; if empty, written by hand."))  # fmt: skip


@bp.get("/settings")
def index() -> str:
    """All settings; what the environment fixes is shown as fixed."""
    return _render(AppCodeForm())


@bp.post("/settings")
def save() -> tuple[str, int] | Response:
    """Stores the AppCode, unless the environment fixes it."""
    form, instance = AppCodeForm(), this_instance()
    if "YULIANG_APPCODE" in instance.settings.given:
        form.appcode.errors = [_("The environment fixes this setting: change it there.")]
        return _render(form), 409
    if not form.validate_on_submit():
        return _render(form), 422
    now = utc_now()
    with transaction():
        if form.forget.data:
            runtime.clear("YULIANG_APPCODE")
        else:
            runtime.store("YULIANG_APPCODE", form.appcode.data or "", instance.sealer, now)
            circuit.renewed()
        append(who(), Action.SETTING_CHANGED, now, setting="YULIANG_APPCODE", forgotten=bool(form.forget.data))
    flash(_("The setting is stored and in force."), "success")
    return redirect(url_for("configuration.index"), 303)


@bp.post("/settings/unit")
def name_unit() -> tuple[str, int] | Response:
    """Stores the unit's name, unless the environment fixes it."""
    form, instance = UnitForm(), this_instance()
    if UNIT in instance.settings.given:
        form.unit_name.errors = [_("The environment fixes this setting: change it there.")]
        return _render(AppCodeForm(), form), 409
    if not form.validate_on_submit():
        return _render(AppCodeForm(), form), 422
    now = utc_now()
    with transaction():
        if form.unit_name.data:
            runtime.store(UNIT, form.unit_name.data, instance.sealer, now)
        else:
            runtime.clear(UNIT)
        append(who(), Action.SETTING_CHANGED, now, setting=UNIT, forgotten=not form.unit_name.data)
    flash(_("The setting is stored and in force."), "success")
    return redirect(url_for("configuration.index"), 303)


def _render(form: AppCodeForm, unit: UnitForm | None = None) -> str:
    instance = this_instance()
    unit = unit or UnitForm(data={"unit_name": runtime.value(UNIT, instance.settings, instance.sealer)})
    rows = [_row(one) for one in runtime.all_effective(instance.settings, instance.sealer)]
    links = [
        (_("Console: AppCode, used of total, orders, contracts, invoices"), CONSOLE),
        (_("Product page: packages and prices"), PRODUCT_PAGE),
    ]
    return render_template("configuration/index.html", rows=rows, form=form, unit=unit, links=links)


def _row(one: runtime.Effective) -> dict[str, Any]:
    setting = one.setting
    shown = "" if one.value in (None, "", ()) else _("set") if setting.secret else _plain(one.value)
    return {
        "name": setting.name, "meaning": _(setting.meaning), "value": shown, "source": one.source,
        "source_label": SOURCES[one.source], "secret": setting.secret,
    }  # fmt: skip


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return limits_text(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
