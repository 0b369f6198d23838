"""Pure: who may open what. The one permission table: an endpoint that stands nowhere here is open to nobody.

The page /users/permissions shows it; a test walks every route of the product against it.
"""

from __future__ import annotations

from webapp.accounts.models import Role

PUBLIC: frozenset[str] = frozenset(
    {"accounts.login", "accounts.first_run", "preferences.save", "lock.state", "lock.unlock", "lock.hand_over",
     "watching.healthz", "watching.readyz",
     "reminders.recipients.confirm", "reminders.recipients.agree", "reminders.recipients.stop",
     "reminders.recipients.end", "reminders.recipients.leave", "reminders.recipients.leave_at_once",
     "receipts.verify", "receipts.prove", "static"}
)  # fmt: skip
"""Open without log-in."""

EVERYONE = frozenset(Role)
DESK = frozenset({Role.ADMIN, Role.OPERATOR})
READERS = frozenset({Role.ADMIN, Role.AUDITOR})
ADMIN = frozenset({Role.ADMIN})

ALLOWED: dict[str, frozenset[Role]] = {
    "accounts.logout": EVERYONE,
    "lock.lock": EVERYONE,
    "accounts.profile": EVERYONE,
    "notices.dismiss": EVERYONE,
    "dashboard.index": EVERYONE,
    "dashboard.file": EVERYONE,
    "usage.index": EVERYONE,
    "usage.file": EVERYONE,
    "usage.burn_down": EVERYONE,
    "verification.verify": DESK,
    "verification.submit": DESK,
    "verification.result": EVERYONE,
    "verification.edit": DESK,
    "desk.regions": DESK,
    "reuse.show": EVERYONE,
    "reuse.edit": DESK,
    "receipts.issue": DESK,
    "receipts.issue_reused": DESK,
    "receipts.show": EVERYONE,
    "receipts.print_view": DESK,
    "shifts.index": DESK,
    "shifts.declare": DESK,
    "shifts.end": DESK,
    "calls.let_through": ADMIN,
    "unknowns.index": ADMIN,
    "unknowns.settle": ADMIN,
    "purposes.index": ADMIN,
    "purposes.new": ADMIN,
    "purposes.add": ADMIN,
    "purposes.edit": ADMIN,
    "purposes.change": ADMIN,
    "caps.index": ADMIN,
    "caps.save": ADMIN,
    "caps.keep_back": ADMIN,
    "caps.remove": ADMIN,
    "calendar.index": ADMIN,
    "calendar.save": ADMIN,
    "history.index": EVERYONE,
    "history.search": EVERYONE,
    "saved.index": EVERYONE,
    "saved.save": EVERYONE,
    "saved.open_view": EVERYONE,
    "saved.edit": EVERYONE,
    "saved.change": EVERYONE,
    "saved.delete": EVERYONE,
    "reveal.ask": READERS,
    "reveal.reveal": READERS,
    "exports.download": EVERYONE,
    "exports.ask": EVERYONE,
    "exports.index": EVERYONE,
    "exports.show": EVERYONE,
    "exports.decide": READERS,
    "exports.fetch": EVERYONE,
    "quota.index": EVERYONE,
    "quota.new_lot": ADMIN,
    "quota.record_lot": ADMIN,
    "quota.draw_order": ADMIN,
    "quota.set_draw_order": ADMIN,
    "ledger.index": READERS,
    "ledger.file": READERS,
    "lots.show": EVERYONE,
    "lots.correct": ADMIN,
    "lots.cover": ADMIN,
    "lots.change": ADMIN,
    "lots.close": ADMIN,
    "lots.reopen": ADMIN,
    "lots.refund": ADMIN,
    "deductions.index": ADMIN,
    "deductions.add": ADMIN,
    "opening.show": ADMIN,
    "opening.begin": ADMIN,
    "opening.packages": ADMIN,
    "opening.begin_packages": ADMIN,
    "reconciliation.index": ADMIN,
    "reconciliation.drift": ADMIN,
    "reconciliation.enter": ADMIN,
    "reconciliation.ask": ADMIN,
    "reconciliation.settle": ADMIN,
    "reconciliation.rebase": ADMIN,
    "reconciliation.key": ADMIN,
    "reconciliation.save_key": ADMIN,
    "sandbox.people": EVERYONE,
    "audit.index": READERS,
    "audit.file": READERS,
    "looks.ask": READERS,
    "looks.show": READERS,
    "retention.index": READERS,
    "retention.edit": ADMIN,
    "retention.change": ADMIN,
    "retention.hold": ADMIN,
    "retention.ask_lift": ADMIN,
    "retention.lift": ADMIN,
    "retention.record": READERS,
    "rights.ask": ADMIN,
    "rights.find": ADMIN,
    "rights.export": ADMIN,
    "rights.erase": ADMIN,
    "rights.hold": ADMIN,
    "accounts.users": ADMIN,
    "accounts.permissions": EVERYONE,
    "accounts.new_user": ADMIN,
    "accounts.create_user": ADMIN,
    "accounts.edit_user": ADMIN,
    "accounts.change_user": ADMIN,
    "configuration.index": ADMIN,
    "configuration.save": ADMIN,
    "configuration.name_unit": ADMIN,
    "keyring.index": ADMIN,
    "reminders.index": ADMIN,
    "reminders.message": ADMIN,
    "reminders.retry": ADMIN,
    "reminders.retry_all": ADMIN,
    "reminders.send_test_mail": ADMIN,
    "reminders.recipients.subscribe": ADMIN,
    "reminders.recipients.add": ADMIN,
    "reminders.recipients.choose": ADMIN,
    "reminders.recipients.remove": ADMIN,
    "reminders.recipients.ask": ADMIN,
    "reminders.server.edit": ADMIN,
    "reminders.server.save": ADMIN,
    "reminders.server.forget": ADMIN,
}


def may(role: Role | str | None, endpoint: str) -> bool:
    """Whether `role` may open `endpoint`."""
    return role is not None and role in ALLOWED.get(endpoint, ())


def sees_money(role: Role | str | None) -> bool:
    """Whether prices and costs are shown to `role`: operators count calls only."""
    return role in READERS
