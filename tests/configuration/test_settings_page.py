"""The settings page: every setting with its source, secrets never; the AppCode changed where that is possible."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from tests.accounts.browsing import said_beside
from tests.support.cast import ADMIN, OPERATOR, Desk, card_of
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db
from webapp.foundation.runtime import StoredSetting
from webapp.settings import SETTINGS
from webapp.vendor.sandbox.server import Sandbox

MakeApp = Callable[..., Flask]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ENGLISH = {"Accept-Language": "en"}
NUMBER = "11010519491231002X"


def rows(page: str) -> dict[str, list[str]]:
    """The cells of each setting's row, as text."""
    found = re.findall(r"<tr>\s*<th[^>]*>(YULIANG_\w+)</th>(.*?)</tr>", page, re.DOTALL)

    def texts(cells: str) -> list[str]:
        whole = re.findall(r"<td.*?</td>", cells, re.DOTALL)
        return [html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in whole]

    return {name: texts(cells) for name, cells in found}


def changes(app: Flask) -> list[dict[str, object]]:
    with app.app_context():
        query = select(AuditRecord.detail).where(AuditRecord.action == Action.SETTING_CHANGED).order_by(AuditRecord.id)
        return list(db.session.scalars(query))


@on_one_database
def test_every_setting_is_shown_with_value_and_source(make_app: MakeApp) -> None:
    app = make_app(PORT="9001", LIMITS="number=3/hour", VENDOR_READ_TIMEOUT="7.5")

    shown = rows(Desk(app, ADMIN).get("/settings", headers=ENGLISH).text)

    assert list(shown) == [setting.name for setting in SETTINGS]
    assert shown["YULIANG_PORT"][:2] == ["9001", "fixed by the environment"]
    assert shown["YULIANG_WEB_WORKERS"][:2] == ["2", "default"]
    assert shown["YULIANG_LIMITS"][0] == "number=3/hour"
    assert shown["YULIANG_VENDOR_READ_TIMEOUT"][0] == "7.5"
    assert all(cells[2] for cells in shown.values()), "each has its meaning"


@on_one_database
def test_a_secret_is_only_said_to_be_set(make_app: MakeApp) -> None:
    app = make_app(APPCODE="pss-appcode", ACCESS_KEY_SECRET="pss-access", SMTP_URL="smtp://u:pss-mail@m.example",
                   SECRET_KEY="pss-session-signing-key", PROXY_URL="http://u:pss-proxy@p.example")  # fmt: skip

    page = Desk(app, ADMIN).get("/settings", headers=ENGLISH).text

    assert "pss-" not in page
    shown = rows(page)
    assert {shown[f"YULIANG_{name}"][0] for name in ("APPCODE", "ACCESS_KEY_SECRET", "SMTP_URL", "SECRET_KEY")} == {
        "set"
    }
    assert shown["YULIANG_ACCESS_KEY_ID"][0] == "–"


def test_the_appcode_entered_here_is_in_force_at_once_and_sealed(make_app: MakeApp, sandbox: Sandbox) -> None:
    sandbox.change(appcode="the-right-one")
    app = make_app(APPCODE="")
    admin, operator = Desk(app, ADMIN), Desk(app, OPERATOR)

    answer = admin.post("/settings", {"appcode": "  the-right-one "})

    assert (answer.status_code, answer.location) == (303, "/settings")
    assert card_of(operator.verify("张三", NUMBER).text) == ("match", "yes")
    page = admin.get("/settings", headers=ENGLISH).text
    assert "the-right-one" not in page
    assert rows(page)["YULIANG_APPCODE"][:2] == ["set", "stored here"]
    with app.app_context():
        sealed = db.session.get_one(StoredSetting, "YULIANG_APPCODE").sealed
    assert b"the-right-one" not in sealed
    assert changes(app) == [{"setting": "YULIANG_APPCODE", "forgotten": False}]


def test_a_stored_appcode_can_be_forgotten(make_app: MakeApp) -> None:
    app = make_app(APPCODE="")
    admin = Desk(app, ADMIN)
    admin.post("/settings", {"appcode": "stored"})

    assert admin.post("/settings", {"appcode": "", "forget": "y"}).status_code == 303

    assert rows(admin.get("/settings", headers=ENGLISH).text)["YULIANG_APPCODE"][:2] == ["–", "default"]
    assert [change["forgotten"] for change in changes(app)] == [False, True]


@on_one_database
def test_what_is_no_appcode_is_said_and_changes_nothing(make_app: MakeApp) -> None:
    app = make_app(APPCODE="")
    admin = Desk(app, ADMIN)
    admin.post("/settings", {"appcode": "stored"})
    for value in ("", "two words", "编码", "a\0b", "a\nb", "x" * 201, "x" * 1_000_000, "📛"):
        page = admin.post("/settings", {"appcode": value}, headers=ENGLISH)

        assert (page.status_code, bool(said_beside(page, "appcode"))) == (422, True), value[:20]
        assert not value or value[:300] not in page.text, "it may be a mistyped secret"
    assert admin.post("/settings", {"appcode": ["one", "two"]}).status_code == 422

    assert len(changes(app)) == 1


@on_one_database
def test_what_the_environment_fixes_cannot_be_changed_here(app: Flask) -> None:
    page = Desk(app, ADMIN).post("/settings", {"appcode": "another"}, headers=ENGLISH)

    assert page.status_code == 409
    assert "environment fixes" in said_beside(page, "appcode")
    assert changes(app) == []
    with app.app_context():
        assert db.session.get(StoredSetting, "YULIANG_APPCODE") is None
