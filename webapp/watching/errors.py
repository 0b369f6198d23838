"""Every failure becomes a page in one place: what happened, whether a call was spent, what to do, the request's id."""

from __future__ import annotations

import structlog
from flask import Flask, Response, g, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadHost, HTTPException, SecurityError

from webapp.foundation.database import db, is_busy
from webapp.foundation.pages import forget_reader
from webapp.foundation.sealing import CannotOpen
from webapp.history.search_limits import TooManySearches
from webapp.history.search_texts import too_many
from webapp.vendor.contract import Outcome
from webapp.verification.operations import NotBegun, NotRecorded, WentLive
from webapp.verification.texts import OUTCOMES

log = structlog.get_logger("yuliang.errors")

MOST_READ_OUT = 32 * 1024 * 1024
"""Bytes of a refused body that are read and thrown away."""


def install(app: Flask) -> None:
    """Registers the handlers."""
    app.after_request(_read_out)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(NotBegun, _not_begun)
    app.register_error_handler(WentLive, _went_live)
    app.register_error_handler(NotRecorded, _not_recorded)
    app.register_error_handler(CannotOpen, _keys)
    app.register_error_handler(TooManySearches, _too_many_searches)
    app.register_error_handler(Exception, _anything)


def _page(status: int, title: str, text: str, advice: str = "") -> Response:
    _let_go()
    body = render_template(
        "errors/error.html",
        status=status,
        title=title,
        text=text,
        advice=advice,
        request_id=g.get("request_id", ""),
    )
    return Response(body, status)


def _read_out(response: Response) -> Response:
    """Reads what was sent and not looked at, up to a bound: gunicorn would close the connection on it without a word,
    and the client's next request would be lost."""
    left = request.content_length or 0
    if "form" not in request.__dict__ and left <= MOST_READ_OUT:
        body = request.environ["wsgi.input"]
        while left > 0 and (chunk := body.read(min(left, 65536))):
            left -= len(chunk)
    return response


def _let_go() -> None:
    """Ends what the failed request had begun in the database, if the database still answers."""
    try:
        db.session.rollback()
    except SQLAlchemyError:
        db.session.remove()


def _csrf(_error: CSRFError) -> Response:
    nothing = _("Nothing was stored and no call was sent.")
    return _page(400, _("This form is too old"), nothing, _("Go back, reload the page, and send it again."))


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    if status >= 500:
        return _anything(error)
    if isinstance(error, BadHost | SecurityError):
        return Response("400 The host of this address is none.\n", 400, mimetype="text/plain")  # no page has links then
    nothing = _("Nothing was stored and no call was sent.")
    match status:
        case 403:
            text = _("Your role may not open this page. The try was recorded.")
            return _page(403, _("Not allowed"), text, _("Ask an admin if you need it."))
        case 404:
            text = _("There is nothing at this address, or nothing that you may see.")
            return _page(404, _("Not found"), text)
        case 405:
            page = _page(405, _("Not possible here"), _("This address does not take that kind of request."))
            page.headers.extend([header for header in error.get_headers() if header[0] == "Allow"])
            return page
        case 413:
            text = _("What was sent is too large.") + " " + nothing
            return _page(413, _("Too much"), text, _("Shorten it and send it again."))
    own = error.description if status == 400 and error.description != type(error).description else None
    return _page(status, _("The request was not understood"), own or nothing)


def _too_many_searches(error: TooManySearches) -> Response:
    return _page(429, _("Too many searches"), too_many(error.wait))


def _database(error: SQLAlchemyError) -> Response:
    busy = is_busy(error)
    log.error("database", kind=type(error).__name__, busy=busy, page=request.endpoint)
    forget_reader()
    return _unavailable(busy, _("What you asked for was not done, or could not be shown."))


def _not_begun(error: NotBegun) -> Response:
    busy = isinstance(error.__cause__, SQLAlchemyError) and is_busy(error.__cause__)
    log.error("intent not stored", kind=type(error.__cause__).__name__, busy=busy)
    forget_reader()
    return _unavailable(busy, _("The call could not be recorded first, so it was not sent; nothing was charged."))


def _went_live(_error: WentLive) -> Response:
    log.error("the instance went live while it was served")
    text = _("This database is live now, but this server still has the sandbox. No call was sent.")
    return _page(503, _("The instance went live"), text, _("Ask an admin to restart the server."))


def _unavailable(busy: bool, text: str) -> Response:
    title = _("The database is busy.") if busy else _("The database cannot be reached.")
    return _page(503, title, text, _("Try again in a minute. If it stays so, give the request number to an admin."))


def _not_recorded(error: NotRecorded) -> Response:
    log.error("outcome not stored", verification=error.verification_id, kind=type(error.__cause__).__name__)
    forget_reader()
    unknown = OUTCOMES[Outcome.UNKNOWN]
    text = _("The call was sent, but its outcome could not be stored. It will be shown as unknown.")
    return _page(503, str(unknown.title), text, str(unknown.advice))


def _keys(error: CannotOpen) -> Response:
    log.error("keys", detail=str(error))
    text = _("The keys of this instance are not those it was sealed with.")
    return _page(500, _("Sealed data does not open"), text, _("Ask an admin to put the backed-up keys in place."))


def _anything(error: Exception) -> Response:
    log.error("unexpected", exc_info=error, page=request.endpoint)
    text = _("The fault is ours and was recorded. Look into the history before you repeat a verification.")
    return _page(500, _("Something went wrong"), text, _("If it stays so, give the request number to an admin."))
