"""The words for why somebody is shown in plaintext."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.history.reveal_rules import Reason

REASONS: dict[Reason, LazyString] = {
    Reason.SETTLE: _l("Settling an unknown outcome"),
    Reason.RECONCILE: _l("Reconciling with the vendor"),
    Reason.RECEIPT: _l("Checking a receipt"),
    Reason.PERSON: _l("The person asks for what is theirs"),
    Reason.AUDIT: _l("Audit"),
    Reason.AUTHORITY: _l("Demand of an authority"),
}
