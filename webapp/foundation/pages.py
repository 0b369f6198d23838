"""What every page shares: how instants, days, money and counts are written, in the reader's language and our zone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from functools import cache
from urllib.parse import urlsplit
from uuid import uuid4

from babel import Locale
from flask import Flask, g, request, session
from flask_babel import force_locale, format_date, format_decimal
from flask_login import AnonymousUserMixin, current_user
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response

from webapp.foundation.assets import asset_url
from webapp.foundation.instance import this_instance
from webapp.settings import LOCALES

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
THEMES = ("auto", "light", "dark")


def when(instant: datetime | None) -> str:
    """An instant, to the second, in the reporting zone."""
    if instant is None:
        return "–"
    return instant.astimezone(this_instance().settings.zone).strftime("%Y-%m-%d %H:%M:%S")


def day(value: date | None) -> str:
    """A calendar day in the reader's words."""
    return "–" if value is None else format_date(value, "medium")


def yuan(fen: int | None) -> str:
    """Money: CNY from fen."""
    return "–" if fen is None else "¥" + format_decimal(fen / 100, format="#,##0.00")


def number(value: int) -> str:
    """A count with separators."""
    return format_decimal(value)


def percent(value: float | None) -> str:
    """A ratio, to a tenth of a percent, without pretending to more."""
    return "–" if value is None else f"{value * 100:.1f}".rstrip("0").rstrip(".") + "%"


def choose_locale() -> str:
    """The reader's language: their own choice, else this browser's choice, else what it asks for, else the setting."""
    chosen = getattr(current_user, "locale", None) or session.get("locale")
    if chosen in LOCALES:
        return str(chosen)
    for language in request.accept_languages.values():
        if language.lower().startswith("zh"):
            return "zh_CN"
        if language.lower().startswith("en"):
            return "en"
    return this_instance().settings.locale


@cache
def language(name: str) -> Locale:
    """A language by its name. Babel goes through all languages it knows whenever it is asked for `zh_CN`."""
    return Locale.parse(name)


def reader_language() -> Locale:
    """As `choose_locale`."""
    return language(choose_locale())


def speaking(name: str) -> AbstractContextManager[None]:
    """What is said inside is said in that language, whoever reads."""
    return force_locale(language(name))


def choose_zone() -> str:
    """The reporting zone, for every date the product writes."""
    return this_instance().settings.timezone


def choose_theme() -> str:
    """The reader's theme: `auto`, `light` or `dark`."""
    chosen = getattr(current_user, "theme", None) or session.get("theme")
    return chosen if chosen in THEMES else "auto"


def forget_reader() -> None:
    """Makes the rest of this request a stranger's: a page about a database that failed must not ask it who reads."""
    g._login_user = AnonymousUserMixin()


def safe_next(target: str | None, default: str) -> str:
    """`target` where it stays on this site, else `default`: no log-in may forward to a stranger."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc or "\\" in target or any(ord(c) < 32 for c in target) else target


class RowNumber(IntegerConverter):
    """`<int:id>` in an address: a number that both databases can hold; with any other there is no such page."""

    regex = "[0-9]{1,18}"


def install(app: Flask) -> None:
    """Registers filters, globals, the request id and the security headers."""
    app.url_map.converters["int"] = RowNumber
    app.jinja_env.filters.update(when=when, day=day, yuan=yuan, number=number, percent=percent)
    app.jinja_env.globals.update(asset_url=asset_url)

    @app.before_request
    def name_request() -> None:
        g.request_id = uuid4().hex
        g.started = datetime.now(UTC)

    @app.context_processor
    def shared() -> dict[str, object]:
        return {
            "locale": choose_locale(),
            "theme": choose_theme(),
            "zone": this_instance().settings.timezone,
            "instance_kind": this_instance().kind,
            "product": "余量 Yuliang",
        }

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response
