"""A recent result shown instead of a call."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.permissions import may
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import conceal
from webapp.verification import cards, form_page, identities, queries, references, tokens

bp = Blueprint("reuse", __name__)


@bp.get("/reuses/<int:id>")
def show(id: int) -> str:
    """The recent result with its age: all of it to whom the original is open, else outcome and age only."""
    reuse = queries.visible_reuse(id, current_user) or abort(404)
    now, original, sealer = utc_now(), reuse.verification, this_instance().sealer
    full = cards.readable_reuse(reuse, current_user.id, now)
    with transaction():
        append(who(), Action.VERIFICATION_VIEWED, now, on=("reuse", reuse.id), full=full)
    person, reference = identities.open_person(original.id, sealer), references.read(reuse.id, sealer)
    if person:
        conceal(person.name, person.number, person.reference, reference)
    open_to_viewer = queries.visible(original.id, current_user) is not None
    card = cards.reused(
        reuse, person, reference, full=full, whole=open_to_viewer, locale=str(get_locale())
    )  # fmt: skip
    repeats = full and person is not None and original.purpose.active and may(current_user.role, "verification.submit")
    return render_template(
        "verification/reused.html",
        card=card,
        readable=full and cards.seconds_left(reuse.at, now),
        original=original if open_to_viewer else None,
        outcome=original.outcome,
        person=person if repeats else None,
        reuse=reuse,
        reference=reference,
        purpose=original.purpose,
        form_token=tokens.issue(current_user.id) if repeats else "",
    )


@bp.get("/reuses/<int:id>/edit")
@bp.post("/reuses/<int:id>/edit")
def edit(id: int) -> tuple[str, int] | Response:
    """What one asked, back in the form to be mended: for as long as one reads it in full. As `verification.edit`."""
    reuse = queries.visible_reuse(id, current_user) or abort(404)
    if request.method == "POST":
        return redirect(url_for("reuse.edit", id=reuse.id), 303)
    now, original, sealer = utc_now(), reuse.verification, this_instance().sealer
    person, reference = identities.open_person(original.id, sealer), references.read(reuse.id, sealer)
    if person is None or not cards.readable_reuse(reuse, current_user.id, now):
        return form_page.too_late()
    conceal(person.name, person.number, person.reference, reference)
    with transaction():
        append(who(), Action.VERIFICATION_VIEWED, now, on=("reuse", reuse.id), full=True)
    return form_page.mending(person, original.purpose_id, reference)
