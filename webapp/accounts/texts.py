"""The words for what the permission table allows."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

ACTIONS: dict[str, LazyString] = {
    "accounts.logout": _l("Log out"),
    "accounts.profile": _l("Change one's own password"),
    "accounts.users": _l("See who can log in"),
    "accounts.permissions": _l("See this table"),
    "accounts.new_user": _l("Open the form for a new user"),
    "accounts.create_user": _l("Make a user"),
    "accounts.edit_user": _l("Open the form that changes a user"),
    "accounts.change_user": _l("Change a user"),
    "notices.dismiss": _l("Dismiss a notice of one's role"),
    "dashboard.index": _l("See the dashboard"),
    "verification.verify": _l("Open the desk"),
    "verification.submit": _l("Verify a person"),
    "verification.edit": _l("Mend and verify again (one's own result)"),
    "desk.regions": _l("Load the table of regions"),
    "verification.result": _l("See a result (operators: their own)"),
    "reuse.show": _l("See a reused result (operators: their own)"),
    "shifts.index": _l("See one's own shift declarations"),
    "shifts.declare": _l("Make a shift declaration"),
    "shifts.end": _l("End one's own shift declaration"),
    "calls.let_through": _l("Let a trial call through while calls are stopped"),
    "unknowns.index": _l("See the unknown outcomes"),
    "unknowns.settle": _l("Settle an unknown outcome"),
    "purposes.index": _l("See the purposes"),
    "purposes.new": _l("Open the form for a new purpose"),
    "purposes.add": _l("Add a purpose"),
    "purposes.edit": _l("Open the form that changes a purpose"),
    "purposes.change": _l("Change a purpose"),
    "history.index": _l("See the history (operators: their own)"),
    "quota.index": _l("See lots and ledger"),
    "quota.new_lot": _l("Open the form for a lot"),
    "quota.record_lot": _l("Record a lot"),
    "sandbox.people": _l("See the sandbox's people"),
    "audit.index": _l("Read the audit trail"),
    "configuration.index": _l("See the settings"),
    "configuration.save": _l("Change the settings"),
}
