"""What the desk's pages need beside their form: the table of regions for the script, and the tour of a sandbox."""

from __future__ import annotations

import gzip
from random import SystemRandom

from flask import Blueprint, Response, abort, request
from flask_login import current_user

from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance
from webapp.persons import regions
from webapp.verification import tour
from webapp.verification.tour import Step

bp = Blueprint("desk", __name__)

YEAR = 31_536_000  # s


@bp.get("/verify/regions/<release>", endpoint="regions")
def regions_table(release: str) -> Response:
    """The whole table of regions, so that no request carries digits of a number. Its address changes with it."""
    if release != regions.RELEASE:
        abort(404)
    packed = regions.packed()
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    answer = Response(packed if zipped else gzip.decompress(packed), mimetype="text/plain")
    answer.headers["Content-Type"] = f"text/plain; charset={regions.ENCODING}"
    answer.headers["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    answer.headers["Vary"] = "Accept-Encoding"
    if zipped:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


@bp.app_template_global("desk_regions_release")
def regions_release() -> str:
    """The name of the table that is served now."""
    return regions.RELEASE


@bp.app_template_global("desk_tour")
def steps() -> tuple[Step, ...]:
    """The steps of the tour for who looks, with numbers that were not used yet."""
    return tour.steps(SystemRandom(), tour.matched(current_user.id, this_instance(), utc_now()))
