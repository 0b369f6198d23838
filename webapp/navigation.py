"""The main navigation: which pages, in which order, for which role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from webapp.accounts.permissions import may
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance
from webapp.notify import notices
from webapp.reminders import health
from webapp.reminders.health import Fault
from webapp.vendor import circuit
from webapp.verification.stop_texts import Banner, banner

PAGES: tuple[tuple[str, LazyString], ...] = (
    ("dashboard.index", _l("Dashboard")),
    ("verification.verify", _l("Verify")),
    ("history.index", _l("History")),
    ("usage.index", _l("Usage")),
    ("quota.index", _l("Quota")),
    ("unknowns.index", _l("Unknown")),
    ("reminders.index", _l("Reminders")),
    ("audit.index", _l("Audit trail")),
    ("accounts.users", _l("Users")),
    ("configuration.index", _l("Settings")),
    ("sandbox.people", _l("Sandbox")),
)

INSIDE = {
    "keyring": "configuration", "reconciliation": "quota", "opening": "quota", "lots": "quota", "ledger": "quota",
    "reveal": "history", "exports": "history", "saved": "history", "looks": "audit",
    "retention": "audit", "rights": "audit",
}  # fmt: skip
"""Rooms whose pages belong to another's place in the navigation."""


class Item(NamedTuple):
    """One link of the navigation."""

    endpoint: str
    label: str
    url: str
    active: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with its link."""

    id: int
    level: str
    text: str
    url: str | None


def install(app: Flask) -> None:
    """Gives every page its navigation, notices and banners, only when a page draws them."""

    @app.context_processor
    def shared() -> dict[str, object]:
        if not current_user.is_authenticated:
            return {"nav": [], "notices": [], "stopped": None, "alarms": []}
        return {"nav": _items(), "notices": _told(), "stopped": _stopped(), "alarms": _alarms()}


def _items() -> list[Item]:
    own = request.endpoint == "accounts.profile"  # belongs to oneself, not to the users' administration
    here = "" if own else (request.endpoint or "").split(".")[0]
    here = INSIDE.get(here, here)
    return [
        Item(endpoint, str(label), url_for(endpoint), endpoint.split(".")[0] == here)
        for endpoint, label in PAGES
        if may(current_user.role, endpoint) and (endpoint != "sandbox.people" or this_instance().kind == "sandbox")
    ]


def _stopped() -> Banner | None:
    stopped = circuit.present(utc_now())
    return banner(stopped, may_ask=may(current_user.role, "calls.let_through")) if stopped else None


def _alarms() -> list[Fault]:
    """What keeps reminders from reaching anyone, looked up for each page that an admin sees, so that it is shown even
    when the worker that would tell is the one that is dead. What is just not set up is told where admins begin."""
    if not may(current_user.role, "reminders.index") or request.endpoint == "reminders.index":
        return []
    faults = health.faults(this_instance(), utc_now())
    return [one for one in faults if one.level == "danger" or request.endpoint == "dashboard.index"]


def _told() -> list[Told]:
    return [
        Told(one.id, one.level, one.text, url_for(one.endpoint, **one.values) if one.endpoint else None)
        for one in notices.standing(current_user.id, current_user.role)
    ]
