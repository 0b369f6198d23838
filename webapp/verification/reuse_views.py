"""A recent result shown instead of a call."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask_babel import get_locale
from flask_login import current_user

from webapp.accounts.permissions import may
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import conceal
from webapp.verification import cards, identities, queries, tokens

bp = Blueprint("reuse", __name__)


@bp.get("/reuses/<int:id>")
def show(id: int) -> str:
    """The recent result with its age: all of it to whom the original is open, else outcome and age only."""
    reuse = queries.visible_reuse(id, current_user) or abort(404)
    now, original = utc_now(), reuse.verification
    full = cards.readable_reuse(reuse, current_user.id, now)
    with transaction():
        append(who(), Action.VERIFICATION_VIEWED, now, on=("reuse", reuse.id), full=full)
    person = identities.open_person(original.id, this_instance().sealer)
    if person:
        conceal(person.name, person.number, person.reference)
    open_to_viewer = queries.visible(original.id, current_user) is not None
    card = cards.reused(reuse, person, full=full, whole=open_to_viewer, locale=str(get_locale()))
    repeats = full and person is not None and original.purpose.active and may(current_user.role, "verification.submit")
    return render_template(
        "verification/reused.html",
        card=card,
        readable=full,
        original=original if open_to_viewer else None,
        person=person if repeats else None,
        reuse=reuse,
        purpose=original.purpose,
        form_token=tokens.issue(current_user.id) if repeats else "",
    )
