"""What goes when: the page of retention with its legal holds, and the record of processing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from webapp.accounts.permissions import may
from webapp.audit import gaps, retention
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation import runtime, schema
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.persons.masking import mask_name, mask_number
from webapp.retention import copies, holds, overview, periods, processing
from webapp.retention.forms import NO_NAMES, HoldForm, LiftForm, PeriodForm
from webapp.retention.overview import ClassState
from webapp.retention.rules import FOR_EVER, Kind
from webapp.retention.texts import HOLDS_WHAT, KINDS, SHORT_LIVED

bp = Blueprint("retention", __name__, url_prefix="/retention")

Page = str | tuple[str, int] | AnyResponse
MOST_HOLDS = 200


@bp.get("")
def index() -> Page:
    """Each class: for how long, what is oldest, what goes next; the holds."""
    return _page()


@bp.get("/classes/<kind>")
def edit(kind: str) -> Page:
    """The form that changes for how long a class is kept."""
    found = _kind(kind)
    return _period(found, PeriodForm(data={"days": periods.period(found, this_instance()).days}), 200)


@bp.post("/classes/<kind>")
def change(kind: str) -> Page:
    """Changes for how long a class is kept; where more goes for it, once that was seen."""
    found, instance, form, now = _kind(kind), this_instance(), PeriodForm(), utc_now()
    was = periods.effective(found, instance)
    if was.source == "environment":
        form.days.errors = [_("The environment fixes this setting: change it there.")]
        return _period(found, form, 409)
    if not form.validate_on_submit() or not _allowed(form, was.setting.parse):
        return _period(found, form, 422)
    days = int(form.days.data or FOR_EVER)
    if _sooner(days, was.value) and not form.confirm.data:
        return _period(found, form, 200, going=overview.would_go(found, days, instance, now))
    with transaction():
        runtime.store(was.setting.name, str(days), instance.sealer, now)
        append(who(), Action.SETTING_CHANGED, now, setting=was.setting.name, days=days, before=was.value)
    flash(_("The setting is stored and in force."), "success")
    return redirect(url_for("retention.index"), 303)


@bp.post("/holds")
def hold() -> Page:
    """Holds one verification."""
    form = HoldForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        holds.hold_verification(
            int(form.verification.data or 0), form.words.data or "", who(), this_instance(), utc_now()
        )
    except holds.NamesSomeone:
        form.words.errors = [str(NO_NAMES)]
        return _page(form), 422
    except holds.Gone:
        form.verification.errors = [_("There is no such verification, or its person was erased or purged already.")]
        return _page(form), 422
    flash(_("The hold stands: nothing of it is purged or erased."), "success")
    return redirect(url_for("retention.index"), 303)


@bp.get("/holds/<int:id>/lift")
def ask_lift(id: int) -> Page:
    """The form that lifts a hold."""
    return _lifting(id, LiftForm(), 200)


@bp.post("/holds/<int:id>/lift")
def lift(id: int) -> Page:
    """Lifts a hold."""
    form = LiftForm()
    if not form.validate_on_submit():
        return _lifting(id, form, 422)
    try:
        lifted = holds.lift(id, form.words.data or "", who(), this_instance(), utc_now())
    except holds.NamesSomeone:
        form.words.errors = [str(NO_NAMES)]
        return _lifting(id, form, 422)
    if lifted:
        flash(_("The hold is lifted: the next purge may take what is old."), "success")
    else:
        flash(_("This hold was lifted already."), "warning")
    return redirect(url_for("retention.index"), 303)


@bp.post("/processing-record")
def record() -> Response:
    """The record of processing (PIPL, articles 55 and 56), as a file."""
    instance, now = this_instance(), utc_now()
    described = processing.describe(instance, str(get_locale()), now)
    with transaction():
        append(who(), Action.PROCESSING_EXPORTED, now)
    page = render_template("retention/processing.html", record=described)
    return as_file(page, f"yuliang-processing-record-{day_of(now, instance.settings.zone)}.html")


def as_file(page: str, name: str) -> Response:
    """An HTML page as a file to be saved."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(page, content_type="text/html; charset=utf-8", headers=headers)


def _kind(word: str) -> Kind:
    """The class of that name; a page that is not there where there is none."""
    try:
        return Kind(word)
    except ValueError:
        abort(404)


def _allowed(form: PeriodForm, parse: Any) -> bool:
    """Whether the number of days is one that the setting takes; else says beside the field which are."""
    try:
        parse(str(form.days.data))
    except ValueError as error:
        form.days.errors = [_("Not so many days: %(bounds)s", bounds=error)]
        return False
    return True


def _sooner(days: int, before: int) -> bool:
    return days != FOR_EVER and (before == FOR_EVER or days < before)


def _page(form: HoldForm | None = None) -> str:
    instance, now = this_instance(), utc_now()
    may_change = may(current_user.role, "retention.change")
    listed = holds.listed(instance.sealer, MOST_HOLDS)
    holds.record_view(listed, who(), instance, now)
    return render_template(
        "retention/index.html", rows=[_row(one) for one in overview.classes(instance, now)], short_lived=SHORT_LIVED,
        holds=[_hold(one) for one in listed], standing=holds.standing(),
        copies=schema.copies(), copies_kept=copies.KEPT.days,
        form=form or HoldForm(), may_change=may_change, zone=instance.settings.timezone,
    )  # fmt: skip


def _row(state: ClassState) -> dict[str, Any]:
    kind = state.period.kind
    return {
        "kind": kind.value, "label": KINDS[kind], "holds": HOLDS_WHAT[kind], "kept": kept(state.period.days),
        "fixed": state.effective.source == "environment", "state": state,
        "left": gaps.numbers(retention.left_out()) if kind == Kind.AUDIT else "",
    }  # fmt: skip


def kept(days: int) -> str:
    """For how long, in words."""
    return _("for ever") if days == FOR_EVER else ngettext("%(num)s day", "%(num)s days", days)


def _hold(shown: holds.Shown) -> dict[str, Any]:
    person, hold = shown.person, shown.hold
    whom = f"{mask_name(person.name)} {mask_number(person.number)}" if person else ""
    return {"hold": hold, "whom": whom}


def _lifting(id: int, form: LiftForm, status: int) -> Page:
    shown = holds.find(id, this_instance().sealer)
    if shown is None or shown.hold.lifted_at is not None:
        abort(404)
    holds.record_view([shown], who(), this_instance(), utc_now())
    return render_template("retention/lift.html", form=form, row=_hold(shown)), status


def _period(kind: Kind, form: PeriodForm, status: int, going: overview.Going | None = None) -> Page:
    instance = this_instance()
    found = periods.effective(kind, instance)
    return render_template(
        "retention/period.html", form=form, kind=kind.value, label=KINDS[kind], holds=HOLDS_WHAT[kind], going=going,
        now=kept(found.value), meaning=_(found.setting.meaning), fixed=found.source == "environment",
    ), status  # fmt: skip
