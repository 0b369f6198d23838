"""Structured logs: one JSON object a line on standard error, with the request's id and nothing personal."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from typing import Any

import structlog
from flask import Flask, g, request
from werkzeug.wrappers import Response

from webapp.foundation.clock import utc_now
from webapp.foundation.redaction import forget, redact_event, redact_text


def configure(level: str = "INFO") -> None:
    """Sends everything that is logged, ours and the libraries', through the redaction, once."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.PositionalArgumentsFormatter(), *shared,
                    structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )  # fmt: skip
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact_event, _render],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("apscheduler", "alembic", "urllib3", "werkzeug"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _render(_logger: object, _method: str, event: Any) -> str:
    """One line of JSON; the whole line passes the redaction once more, whatever a library formatted into it."""
    return redact_text(json.dumps(event, ensure_ascii=False, default=str))


def install(app: Flask) -> None:
    """Logs each request when it ends: method, page, status, time; never its address, which may say too much."""
    log = structlog.get_logger("yuliang.web")

    @app.before_request
    def bind() -> None:
        # Not when the last request of this thread ended: what the server logs about it after that must stay redacted.
        forget()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def report(response: Response) -> Response:
        if request.endpoint not in ("static", "watching.healthz"):
            took = (utc_now() - g.started).total_seconds() * 1000 if "started" in g else 0
            log.info("request", method=request.method, page=request.endpoint or "–", status=response.status_code,
                     ms=round(took, 1))  # fmt: skip
        return response
