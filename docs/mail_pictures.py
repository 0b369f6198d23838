"""Pictures of the two reminder mails, as a mail program shows them, for `docs.screenshots`."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.sync_api import Browser
from sqlalchemy import update

from webapp import create_app
from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify import queries as notify
from webapp.notify.composing import Content, compose
from webapp.quota.models import Lot
from webapp.reminders import operations, recipients
from webapp.settings import read_settings

WIDTHS = {"wide": 800, "phone": 390}
KINDS = {"reminder.low": "mail-low", "reminder.expiry": "mail-expiry"}
KEPT = [("mail-low", "zh_CN", "light", "phone"), ("mail-expiry", "en", "dark", "wide")]
EVERY = [(name, locale, theme, width) for name in KINDS.values() for locale in ("zh_CN", "en")
         for theme in ("light", "dark") for width in WIDTHS]  # fmt: skip


def mail_shots(browser: Browser, instance: str, wanted: list[tuple[str, str, str, str]], folder: Path) -> None:
    """Takes the wanted pictures (mail, locale, theme, width) of an instance whose lots it runs down for them."""
    app = create_app(read_settings({"YULIANG_INSTANCE": instance, "YULIANG_LIMITS": ""}))
    with app.app_context():
        _run_down()
        for name, locale, theme, width in wanted:
            _shoot(browser, _content(name, locale), (theme, width), folder / f"{name}-{locale}-{theme}-{width}.png")
        db.session.remove()
        db.engine.dispose()


def _run_down() -> None:
    """Leaves 18 % of all calls, some of them in a lot that ends in days; both are told to an admin and another."""
    now = utc_now()
    with transaction() as session:
        recipients.subscribe(session.get_one(User, 1), "zh_CN", SYSTEM, now)
        boss = recipients.add("finance@example.com", "zh_CN", SYSTEM, now)
        recipients.confirm(boss.mark, int(now.timestamp()), SYSTEM, now)
        for lot, left in ((1, 222), (2, 48)):
            session.execute(update(Lot).where(Lot.id == lot).values(available=left))
    operations.review(this_instance(), now)


def _content(name: str, locale: str) -> Content:
    kind = next(kind for kind, called in KINDS.items() if called == name)
    message = next(chain.message for chain in notify.newest(50) if chain.message.kind == kind)
    db.session.expunge(message)
    message.locale = locale
    return compose(message, utc_now())


def _shoot(browser: Browser, content: Content, look: tuple[str, str], file: Path) -> None:
    theme, width = look
    data = base64.b64encode(content.pictures[0].png).decode()
    with browser.new_context(
        viewport={"width": WIDTHS[width], "height": 600}, color_scheme="dark" if theme == "dark" else "light"
    ) as context:
        page = context.new_page()
        page.set_content(content.html.replace("cid:usage", f"data:image/png;base64,{data}"), wait_until="load")
        page.screenshot(path=file, full_page=True)
