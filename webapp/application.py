"""The composition root: the only place that knows every part."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, request
from flask_babel import Babel
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from webapp import navigation
from webapp.accounts import access, lock_views, preferences, watchers
from webapp.accounts import views as accounts
from webapp.audit import views as audit
from webapp.configuration import key_views as keyring
from webapp.configuration import views as configuration
from webapp.dashboard import usage_views as usage
from webapp.dashboard import views as dashboard
from webapp.foundation import compression, database, pages
from webapp.foundation.database import db, engine_options, prepare_engine
from webapp.foundation.instance import NAME, Instance, vendor_kind
from webapp.foundation.key_ring import HEED, Heed
from webapp.foundation.keys import load_keys
from webapp.foundation.routing import LateRule
from webapp.foundation.sealing import Sealer
from webapp.history import export_views as exports
from webapp.history import look_views as looks
from webapp.history import reveal_views as reveal
from webapp.history import saved_views as saved
from webapp.history import views as history
from webapp.notify import views as notices
from webapp.practice import views as practice
from webapp.quota import deduction_views as deductions
from webapp.quota import ledger_views as ledger
from webapp.quota import lot_views as lots
from webapp.quota import views as quota
from webapp.receipts import offers as receipt_offers
from webapp.receipts import views as receipts
from webapp.reconciliation import opening_views as opening
from webapp.reconciliation import views as reconciliation
from webapp.reminders import mails as reminder_mails
from webapp.reminders import operations as reminder_operations
from webapp.reminders import recipient_views
from webapp.reminders import views as reminders
from webapp.retention import rights_views as rights
from webapp.retention import views as retention
from webapp.settings import Settings
from webapp.usage import calendar_views as calendar
from webapp.vendor.calling import Vendor
from webapp.vendor.metering import Meter
from webapp.verification import cap_views as caps
from webapp.verification import declarations, desk
from webapp.verification import purpose_views as purposes
from webapp.verification import reuse_views as reuse
from webapp.verification import shift_views as shifts
from webapp.verification import stop_views as calls
from webapp.verification import unknown_views as unknowns
from webapp.verification import views as verification
from webapp.watching import errors, logs
from webapp.watching import views as watching

ROOT = Path(__file__).parent.parent
MOST_BYTES = 12 * 1024 * 1024
"""Of a request's body: a megabyte of Chinese is nine on its way; what is too long is said beside its field."""

BLUEPRINTS = (
    accounts.bp, lock_views.bp, preferences.bp, notices.bp, dashboard.bp, usage.bp, verification.bp, desk.bp,
    shifts.bp, reuse.bp, calls.bp, unknowns.bp, purposes.bp, caps.bp, receipts.bp, history.bp, saved.bp, reveal.bp,
    exports.bp, quota.bp, ledger.bp, lots.bp, deductions.bp, reconciliation.bp, opening.bp, practice.bp, audit.bp,
    looks.bp, configuration.bp, keyring.bp, calendar.bp, watching.bp, reminders.bp, retention.bp, rights.bp,
)  # fmt: skip


def create_app(settings: Settings, *, make_keys: bool = True) -> Flask:
    """The application. Opens no connection and starts no thread. Raises `SettingsError`.

    `make_keys`: whether missing keys are generated; never so where the database holds sealed data already.
    """
    app = Flask(
        "webapp",
        static_folder=str(ROOT / "static"),
        static_url_path="/static",
        template_folder=str(ROOT / "templates"),
    )
    app.url_rule_class = LateRule
    keys = load_keys(settings, make=make_keys)
    app.config.update(
        SECRET_KEY=keys.session,
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database),
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        SESSION_COOKIE_NAME="yuliang",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.address.startswith("https://"),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a desk form stays open all day
        WTF_CSRF_SSL_STRICT=False,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "webapp" / "translations"),
    )
    instance = Instance(settings, keys, Sealer(keys), vendor_kind(settings))
    app.extensions[NAME] = instance
    app.extensions["vendor"] = vendor = Vendor(settings, instance.sealer)
    app.extensions["meter"] = Meter(settings, instance.sealer, vendor)

    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    database.install(app)
    Babel(app, locale_selector=pages.reader_language, timezone_selector=pages.choose_zone)
    compression.install(app)  # before all that may change an answer: it has the last word
    pages.install(app)
    logs.install(app)
    CSRFProtect(app).exempt(recipient_views.leave_at_once)
    _heed_keys(app, instance)
    access.install(app)
    watchers.watch(app, shift_ended=declarations.end_all)
    navigation.install(app)
    errors.install(app)
    reminder_operations.install(app)
    reminder_mails.install(app)
    receipt_offers.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _serve_static(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _heed_keys(app: Flask, instance: Instance) -> None:
    """Before each page the keys are those of the database; whether the process is up is said without."""
    app.extensions[HEED] = heed = Heed(instance)

    @app.before_request
    def _look() -> None:
        if request.blueprint != "watching" and request.endpoint != "static":
            heed()


def _serve_static(app: Flask) -> None:
    """Static files with far expiry, compressed beforehand; whatever is not built yet is simply missing."""
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(ROOT / "static"),
        prefix="static/",
        allow_all_origins=False,
        max_age=3600,
        immutable_file_test=lambda path, _url: "/dist/" in path,
        add_headers_function=lambda headers, _path, _url: headers.add_header("X-Content-Type-Options", "nosniff"),
    )
