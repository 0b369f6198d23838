"""For those who watch the product: is the process up, is it ready, what does it count."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, jsonify
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from webapp.foundation import key_ring, leases, schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, ping
from webapp.foundation.sealing import CannotOpen

bp = Blueprint("watching", __name__)

WORKER_LATE = timedelta(seconds=60)


@bp.get("/healthz")
def healthz() -> tuple[str, int, dict[str, str]]:
    """The process is up."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """503 only when the database or its migrations fail; the rest is told with `"required": false`."""
    checks = {"database": _database(), "migrations": _migrations()}
    ready = all(check["ok"] for check in checks.values())
    checks["keys"] = _keys() if ready else {"ok": False, "detail": "not asked", "required": False}
    checks["worker"] = _worker() if ready else {"ok": False, "detail": "not asked", "required": False}
    return jsonify({"status": "ok" if ready else "failing", "checks": checks}), 200 if ready else 503


def _database() -> dict[str, object]:
    try:
        ping()
    except SQLAlchemyError as error:
        return {"ok": False, "detail": type(error).__name__}
    return {"ok": True, "detail": db.engine.dialect.name}


def _migrations() -> dict[str, object]:
    try:
        behind = schema.state()
    except (SQLAlchemyError, schema.SchemaNewer) as error:
        return {"ok": False, "detail": type(error).__name__}
    return {"ok": behind == "current", "detail": behind}


def _keys() -> dict[str, object]:
    """Whether this process holds every key of the database; what it lacks otherwise."""
    try:
        key_ring.heed()
    except CannotOpen as fault:
        return {"ok": False, "detail": str(fault), "required": False}
    return {"ok": True, "detail": "all are here", "required": False}


def _worker() -> dict[str, object]:
    known, now = leases.all_leases(), utc_now()
    newest = leases.heartbeat(known, now)
    failing = sorted(f"{lease.name} ({lease.error})" for lease in known if lease.error)
    db.session.rollback()
    if newest is None or now - newest > WORKER_LATE:
        return {"ok": False, "detail": "no job has run lately: is `yuliang worker` running?", "required": False}
    if failing:
        return {"ok": False, "detail": f"failing: {', '.join(failing)}", "required": False}
    return {"ok": True, "detail": f"last job at {newest:%Y-%m-%dT%H:%M:%SZ}", "required": False}
