"""The person behind this request, for the audit trail."""

from __future__ import annotations

from flask import g, request
from flask_login import current_user

from webapp.audit.trail import Who


def who() -> Who:
    """Who acts, from where, in which request."""
    address = (request.remote_addr or "")[:64]
    request_id = g.get("request_id", "")
    if current_user.is_authenticated:
        return Who(current_user.id, current_user.name, address, request_id)
    return Who(None, "–", address, request_id)
