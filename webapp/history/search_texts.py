"""The words for what is looked for, and how a search is shown without telling whom it is about."""

from __future__ import annotations

import re
from math import ceil

from flask_babel import LazyString, ngettext
from flask_babel import lazy_gettext as _l

from webapp.history.search_readings import Kind, readings
from webapp.persons.masking import mask_name, mask_number
from webapp.receipts import paper

KINDS: dict[Kind, LazyString] = {
    Kind.NUMBER: _l("an ID number"),
    Kind.NAME: _l("a name or its beginning"),
    Kind.BEGINNING: _l("a name or its beginning"),
    Kind.LAST_FOUR: _l("the last four of an ID number"),
    Kind.RECEIPT: _l("a receipt number"),
    Kind.REQUEST_ID: _l("a vendor's request id"),
    Kind.REFERENCE: _l("a reference"),
}
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
"""A request id as the vendor writes it: no piece of it is long enough to hold an ID number."""


def masked(text: str) -> str:
    """The text as it may stand on a page: what names nobody in full; of all else, a mistyped number or a name glued to
    one among it, no more than the first character."""
    found = {one.kind: one.value for one in readings(text)}
    if Kind.NUMBER in found:
        return mask_number(found[Kind.NUMBER])
    if Kind.RECEIPT in found:
        return paper.grouped(found[Kind.RECEIPT])
    written = text.strip()
    return written if _UUID.fullmatch(written) else mask_name(written)


def too_many(wait: int) -> str:
    """What whoever has tried too many names and numbers reads; `wait` in seconds."""
    return ngettext(
        "You have searched for as many different names and numbers as one may for now. Go on in %(num)s minute.",
        "You have searched for as many different names and numbers as one may for now. Go on in %(num)s minutes.",
        max(1, ceil(wait / 60)),
    )
