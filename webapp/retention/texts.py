"""The words of retention, in both languages."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.retention.rules import Kind

KINDS: dict[Kind, LazyString] = {
    Kind.IDENTITY: _l("People"),
    Kind.FACTS: _l("Facts of verifications"),
    Kind.OUTBOX: _l("Messages"),
    Kind.VIEWS: _l("Saved views"),
    Kind.AUDIT: _l("Audit trail"),
}
HOLDS_WHAT: dict[Kind, LazyString] = {
    Kind.IDENTITY: _l("name, ID number, reference, place, the vendor's own answer: sealed, with all that finds them"),
    Kind.FACTS: _l("when, by whom, for what, outcome and charge: nothing that names the person"),
    Kind.OUTBOX: _l("mails that were sent, refused or dropped, with every attempt"),
    Kind.VIEWS: _l("name, filters and search, sealed: from the last time that anybody opened or changed one"),
    Kind.AUDIT: _l("who did what, when, from where; dropped in whole sealed segments"),
}
SHORT_LIVED: tuple[tuple[LazyString, LazyString], ...] = (
    (_l("Searches that were sent, sealed"), _l("12 hours")),
    (
        _l("Exports prepared in the background, sealed: a day each to be approved, prepared, fetched, sent; then gone"),
        _l("up to 4 days"),
    ),
    (_l("Forms that were sent, failed log-ins, wrong tries with receipts"), _l("up to 2 days")),
    (_l("Notices that many names or numbers were tried, with a keyed mark of which"), _l("30 days")),
    (_l("Who revealed whom, for the limit (the audit trail remembers)"), _l("2 days")),
)
"""What it is, and how long it stands."""
