"""What stands around the rows of the history's page, in the reader's words: chips, links, the sentence above."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from webapp.accounts.models import Role
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import number
from webapp.history.filters import OLDEST, Cursor
from webapp.history.forms import NAMES, HistoryForm
from webapp.history.queries import Page
from webapp.history.search_readings import readings
from webapp.history.search_texts import KINDS, masked
from webapp.history.totals import total

KEPT = (*NAMES, "size", "s")
KNOWN = {*KEPT, "after", "q", "background"}
LONGEST = 200
"""Characters of a filter that are carried along; no filter is longer."""
MOST_UNKNOWN, LONGEST_UNKNOWN = 5, 40


class Pager(NamedTuple):
    """Addresses of the pages around; None: one is there."""

    newest: str | None
    newer: str | None
    older: str | None
    oldest: str | None


def asked() -> MultiDict[str, str]:
    """Where the filters stand: in the address or, where a search was refused, in its form."""
    return request.args if request.method == "GET" else request.form


def active_names() -> list[str]:
    """The filters in force, and `s` for a search."""
    return [name for name in ("s", *NAMES) if asked().get(name)]


def chips(form: HistoryForm) -> list[tuple[str, str, str]]:
    """Label and value of each filter in force, and the address without it; a search is masked."""
    shown = []
    for name in active_names():
        if name == "s":
            text = form.filters().search if not form.errors else None
            label, value = _("Search"), masked(text) if text else "–"
        else:
            label = str(form[name].label.text)
            value = str(dict(getattr(form[name], "choices", None) or []).get(form[name].data, asked()[name]))
        without = {name, "city"} if name == "province" else {name}
        shown.append((label, value, _address(without=without)))
    return shown


def kept() -> list[tuple[str, str]]:
    """What a form on the page must carry along."""
    return [(name, value[:LONGEST]) for name in KEPT if (value := asked().get(name))]


def unknown_names() -> list[str]:
    """What stands in the address and is no filter: nobody should believe that it filters."""
    return [name[:LONGEST_UNKNOWN] for name in request.args if name not in KNOWN][:MOST_UNKNOWN]


def pager(page: Page | None, cursor: Cursor | None) -> Pager:
    """The links under the rows."""
    if page is None:
        return Pager(None, None, None, None)
    return Pager(
        _address() if cursor is not None else None,
        _address(after=page.newer) if page.newer else None,
        _address(after=page.older) if page.older else None,
        _address(after=OLDEST.encode()) if page.older else None,
    )


def read_as(form: HistoryForm) -> str:
    """As what the text of the search was looked for."""
    text = form.filters().search if not form.errors else None
    if text is None:
        return ""
    separator = "、" if str(get_locale()).startswith("zh") else ", "
    return _("Looked for as: %(kinds)s.", kinds=separator.join(str(KINDS[one.kind]) for one in readings(text)))


def sentence(form: HistoryForm, page: Page | None, cursor: Cursor | None) -> str:
    """What is shown, how much of it there is, and in which zone the times are."""
    zone = this_instance().settings.timezone
    whose = _("Your own verifications, newest first.") if current_user.role == Role.OPERATOR else _("Newest first.")
    times = _("Times in %(zone)s.", zone=zone)
    if page is None:
        return _("%(whose)s %(times)s", whose=whose, times=times)
    return _("%(whose)s %(amount)s %(times)s", whose=whose, amount=_amount(form, page, cursor), times=times)


def _amount(form: HistoryForm, page: Page, cursor: Cursor | None) -> str:
    here = len(page.rows)
    if cursor is None and page.older is None:
        return _("%(rows)s in all.", rows=number(here))
    whole = total(form.filters(), current_user, this_instance(), utc_now())
    if whole is not None:
        return _("%(rows)s of %(total)s on this page.", rows=here, total=number(whole))
    if cursor is None and page.looked_until is None:
        return _("%(rows)s of ≥ %(least)s on this page.", rows=here, least=number(here + 1))
    return _("%(rows)s on this page.", rows=here)


def _address(*, after: str | None = None, without: set[str] | frozenset[str] = frozenset()) -> str:
    values: dict[str, Any] = {name: value for name, value in kept() if name not in without}
    return url_for("history.index", **values, after=after)
