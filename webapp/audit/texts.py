"""The words for recorded actions."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.audit.trail import Action

ACTIONS: dict[str, LazyString] = {
    Action.LOGIN: _l("Log-in"),
    Action.LOGIN_FAILED: _l("Failed log-in"),
    Action.LOGOUT: _l("Log-out"),
    Action.SESSION_LOCKED: _l("Desk locked"),
    Action.SESSION_UNLOCKED: _l("Desk unlocked"),
    Action.UNLOCK_FAILED: _l("Failed unlocking"),
    Action.HANDED_OVER: _l("Desk handed over"),
    Action.TAKEN_OVER: _l("Desk taken over"),
    Action.USER_CREATED: _l("User made"),
    Action.USER_CHANGED: _l("User changed"),
    Action.PASSWORD_CHANGED: _l("Password changed"),
    Action.VERIFICATION_SENT: _l("Verification sent"),
    Action.VERIFICATION_FINISHED: _l("Verification finished"),
    Action.VERIFICATION_BLOCKED: _l("Verification blocked"),
    Action.VERIFICATION_VIEWED: _l("Verification viewed"),
    Action.HISTORY_VIEWED: _l("History viewed"),
    Action.AUDIT_VIEWED: _l("Audit trail viewed"),
    Action.LOT_RECORDED: _l("Lot recorded"),
    Action.SETTING_CHANGED: _l("Setting changed"),
    Action.WENT_LIVE: _l("Went live"),
    Action.ACCESS_REFUSED: _l("Access refused"),
    Action.RECIPIENT_ADDED: _l("Recipient added"),
    Action.RECIPIENT_CONFIRMED: _l("Recipient confirmed"),
    Action.RECIPIENT_CHANGED: _l("Recipient changed"),
    Action.RECIPIENT_REMOVED: _l("Recipient removed"),
    Action.TEST_MAIL_SENT: _l("Test mail sent"),
    Action.MESSAGE_RETRIED: _l("Message tried again"),
    Action.RESULT_REUSED: _l("Recent result reused"),
    Action.CALLS_STOPPED: _l("Calls stopped"),
    Action.CALLS_RESUMED: _l("Calls go on"),
    Action.PROBE_ASKED: _l("Trial call asked for"),
    Action.UNKNOWN_SETTLED: _l("Unknown outcome settled"),
    Action.PURPOSE_ADDED: _l("Purpose added"),
    Action.PURPOSE_CHANGED: _l("Purpose changed"),
    Action.SHIFT_DECLARED: _l("Shift declaration made"),
    Action.SHIFT_ENDED: _l("Shift declaration ended"),
    Action.CALENDAR_CHANGED: _l("Calendar changed"),
    Action.COUNTER_READ: _l("Vendor's counter read"),
    Action.BOOKS_REBASED: _l("Books rebased on the vendor's counter"),
    Action.LOT_CORRECTED: _l("Lot corrected"),
    Action.RECEIPT_ISSUED: _l("Receipt issued"),
    Action.RECEIPT_VIEWED: _l("Receipt viewed"),
    Action.RECEIPT_PRINTED: _l("Receipt opened for printing"),
    Action.RECEIPT_CHECKED: _l("Receipt checked"),
}
OBJECTS: dict[str, LazyString] = {
    "verification": _l("Verification"),
    "user": _l("User"),
    "lot": _l("Lot"),
    "recipient": _l("Recipient"),
    "message": _l("Message"),
    "purpose": _l("Purpose"),
    "declaration": _l("Shift declaration"),
    "reuse": _l("Reuse"),
    "reading": _l("Reading"),
}
