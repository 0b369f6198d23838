"""A person's rights: find, hand out, erase, hold. Name and number are posted, and never stand in an address."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import conceal
from webapp.history.search_limits import TooManySearches
from webapp.history.search_texts import too_many
from webapp.retention import holds, periods, person_file, reach, rights
from webapp.retention.forms import NO_NAMES, EraseForm, PersonForm, RequestForm
from webapp.retention.reach import Reach
from webapp.retention.rules import Kind
from webapp.retention.views import as_file, kept

bp = Blueprint("rights", __name__, url_prefix="/rights")

Page = str | tuple[str, int] | Response


@bp.get("")
def ask() -> Page:
    """The empty form."""
    return render_template("retention/rights.html", form=PersonForm(), found=None)


@bp.post("")
def find() -> Page:
    """What is stored about a person, counted; looking is recorded."""
    form = PersonForm()
    _conceal(form)
    if not form.validate_on_submit():
        return render_template("retention/rights.html", form=form, found=None), 422
    try:
        found = rights.find(form.subject(), who(), this_instance(), utc_now())
    except TooManySearches as many:
        form.form_errors = [too_many(many.wait)]
        return render_template("retention/rights.html", form=form, found=None), 429
    return render_template("retention/rights.html", form=form, found=found, **_reach())


@bp.post("/export")
def export() -> Page:
    """Everything that is stored about the person, as a file to be handed out."""
    form, now, instance = RequestForm(utc_now()), utc_now(), this_instance()
    if not _sound(form):
        return _request("export", form)
    try:
        entries = rights.entries(form.subject(), form.words.data or "", who(), instance, now)
    except rights.Nobody:
        return _nobody(form)
    page = render_template(
        "retention/person.html", entries=[person_file.entry(one, form.subject()) for one in entries],
        subject=form.subject(), now=now, kept=kept(periods.period(Kind.IDENTITY, instance).days),
        unit=person_file.unit(instance), zone=instance.settings.timezone, locale=str(get_locale()),
        **_reach(),
    )  # fmt: skip
    return as_file(page, f"yuliang-person-{day_of(now, instance.settings.zone)}.html")


@bp.post("/erase")
def erase() -> Page:
    """Erases the person; without reason and tick it shows once more what that means."""
    now, instance = utc_now(), this_instance()
    form = EraseForm(now)
    if not _sound(form):
        return _request("erase", form)
    try:
        erased = rights.erase(form.subject(), form.words.data or "", who(), instance, now)
    except rights.Held:
        rights.refused(who(), now)
        form.form_errors = [_("A legal hold covers this person: nothing was erased. Lift it first, if it is over.")]
        return _request("erase", form, 409)
    except rights.Nobody:
        return _nobody(form)
    return render_template("retention/erased.html", erased=erased)


@bp.post("/hold")
def hold() -> Page:
    """Holds the person."""
    form = RequestForm(utc_now())
    if not _sound(form):
        return _request("hold", form)
    try:
        holds.hold_person(form.subject(), form.words.data or "", who(), this_instance(), utc_now())
    except holds.NamesSomeone:
        form.words.errors = [str(NO_NAMES)]
        return _request("hold", form)
    flash(_("The hold stands: nothing of it is purged or erased."), "success")
    return redirect(url_for("retention.index"), 303)


def _reach() -> dict[str, Reach]:
    return {"people": reach.of_people(), "trail": reach.of_trail()}


def _conceal(form: PersonForm) -> None:
    conceal(form.name.data or "", form.id_number.data or "")


def _sound(form: RequestForm) -> bool:
    """Whether the form was filled in, not only opened, by who may."""
    _conceal(form)
    return not form.only_opened and form.validate_on_submit() and form.proven()


def _request(what: str, form: RequestForm, status: int = 422) -> Page:
    """The page of one request, with what is stored about the person. Whoever comes here may not have been on the page
    before: looking is recorded each time."""
    person = PersonForm()
    if not person.validate():
        return render_template("retention/rights.html", form=person, found=None), 422
    status = 200 if form.only_opened else status
    found = rights.find(person.subject(), who(), this_instance(), utc_now())
    return render_template(f"retention/request_{what}.html", form=form, found=found, **_reach()), status


def _nobody(form: RequestForm) -> Response:
    """Says that there is nothing, which is told about a person too."""
    rights.find(form.subject(), who(), this_instance(), utc_now())
    flash(_("Nothing is stored about this person any more."), "warning")
    return redirect(url_for("rights.ask"), 303)
