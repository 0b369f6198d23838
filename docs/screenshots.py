"""Takes the pictures of README and docs from a real browser: `make screenshots`.

`python -m docs.screenshots --all FOLDER` takes every page in both languages, both themes and two widths instead, to be
looked at before a change lands.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize
from sqlalchemy import update

from docs import mail_pictures
from docs.mail_pictures import mail_shots
from tests.support.browser import running_chromium
from tests.support.serve import serving
from webapp import create_app
from webapp.accounts.models import Role
from webapp.accounts.operations import Profile, create_user
from webapp.audit.trail import SYSTEM, Who
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.settings import read_settings
from webapp.vendor.contract import Billed, Cause, Derived, Outcome, Reply
from webapp.vendor.sandbox.people import PEOPLE
from webapp.verification import operations
from webapp.verification.models import Purpose
from webapp.verification.operations import Asked

IMAGES = Path(__file__).parent / "images"
PASSWORD = "correct-horse-9"  # noqa: S105  # of an instance that lives for a minute
WIDTHS = {"wide": 1280, "phone": 390}
PAGES = {
    "dashboard": "/", "verify": "/verify", "declaration": "/verify/declaration", "history": "/history",
    "prove-receipt": "/receipts/verify",
    "usage": "/usage", "unknowns": "/unknowns", "quota": "/quota", "new-lot": "/quota/lots/new",
    "opening": "/quota/opening", "packages": "/quota/opening/packages", "cover": "/quota/lots/1/cover",
    "ledger": "/quota/ledger", "reconcile": "/quota/reconcile", "reminders": "/reminders",
    "retention": "/retention", "rights": "/rights", "keys": "/settings/keys",
    "purposes": "/settings/purposes", "calendar": "/settings/calendar",
    "caps": "/settings/caps", "settings": "/settings", "audit": "/audit",
    "users": "/users", "new-user": "/users/new", "permissions": "/users/permissions", "sandbox": "/sandbox",
    "profile": "/profile", "not-found": "/nothing-here",
}  # fmt: skip
KEPT = [
    ("dashboard", "zh_CN", "light", "wide"), ("dashboard", "en", "dark", "wide"), ("verify", "zh_CN", "light", "wide"),
    ("match", "zh_CN", "light", "wide"), ("history", "zh_CN", "light", "wide"), ("quota", "en", "light", "wide"),
    ("verify", "zh_CN", "light", "phone"), ("dashboard", "zh_CN", "dark", "phone"), *mail_pictures.KEPT,
]  # fmt: skip
REPLIES = (
    (
        Reply(
            Outcome.MATCH, Billed.YES, code="0000", derived=Derived("演练省", "演练市", "演练县", "19900101", "F", "36")
        ),
        80,
    ),
    (Reply(Outcome.MISMATCH, Billed.YES, code="0008"), 11),
    (Reply(Outcome.NO_SUCH_NUMBER, Billed.YES, code="0007"), 4),
    (Reply(Outcome.REFUSED, Billed.NO, Cause.THROTTLED, code="T429ID"), 3),
    (Reply(Outcome.UNKNOWN, Billed.UNKNOWN, Cause.VENDOR_TIMEOUT, code="D504TO"), 1),
)


def fill(instance: str) -> None:
    """A believable month: two lots, three people, more calls on weekdays."""
    app = create_app(read_settings({"YULIANG_INSTANCE": instance, "YULIANG_LIMITS": ""}))
    with app.app_context():
        schema.migrate(utc_now())
        now, zone = utc_now(), this_instance().settings.zone
        with transaction() as session:
            session.execute(update(Purpose).values(reuse_match=0, reuse_mismatch=0))  # each picture shows a call
            create_user(Profile("王管理", "admin@example.com", Role.ADMIN), PASSWORD, SYSTEM, now)
            create_user(Profile("李前台", "operator@example.com", Role.OPERATOR, "前台"), PASSWORD, SYSTEM, now)
            create_user(Profile("赵审计", "auditor@example.com", Role.AUDITOR), PASSWORD, SYSTEM, now)
            today = now.astimezone(zone).date()
            for calls, bought, price, order in ((1000, 200, 3000, "MK20260506"), (500, 363, 0, "MK20251124")):
                day = today - timedelta(days=bought)
                expires = day + timedelta(days=365)
                at = now - timedelta(days=bought)
                ledger.record_purchase(Purchase(calls, day, expires, price, order), SYSTEM, at)
        _calls(now, today)
        db.session.remove()
        db.engine.dispose()


def _calls(now: datetime, today: date) -> None:
    dice, instance = random.Random(7), this_instance()  # noqa: S311  # a picture, not a secret
    who, clerk = Who(1, "王管理"), Who(2, "李前台")
    people = [person for person in PEOPLE if len(person.name) < 12]
    for back in range(29, -1, -1):
        day = today - timedelta(days=back)
        calls = dice.randint(14, 30) if day.weekday() < 5 else dice.randint(1, 6)
        for minutes in sorted((dice.randint(1, 200) for _call in range(calls)), reverse=True):
            at = now - timedelta(days=back, minutes=minutes)
            person = dice.choice(people)
            asker = clerk if dice.random() < 0.8 else who
            made = operations.begin(Asked(person.name, person.number, 1, True), asker, instance, at)
            reply = dice.choices([reply for reply, _weight in REPLIES], [weight for _reply, weight in REPLIES])[0]
            operations.finish(made, reply, asker, instance, at + timedelta(seconds=1))


def log_in(page: Page, address: str, email: str = "admin@example.com") -> None:
    """Logs the page's browser in."""
    page.goto(f"{address}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{address}/")


def verify(page: Page, address: str, name: str, number: str) -> None:
    """Verifies one person at the desk."""
    page.goto(f"{address}/verify")
    page.fill("[name=name]", name)
    page.fill("[name=id_number]", number)
    page.check("[name=consent]")
    page.press("[name=id_number]", "Enter")
    page.wait_for_selector("[data-result]")


def shots(browser: Browser, address: str, wanted: list[tuple[str, str, str, str]], folder: Path) -> None:
    """Takes the wanted pictures, each (page, locale, theme, width)."""
    variants = sorted({(locale, theme, width) for _page, locale, theme, width in wanted})
    for locale, theme, width in variants:
        size: ViewportSize = {"width": WIDTHS[width], "height": 860}
        context = browser.new_context(locale=locale.replace("_", "-"), viewport=size)
        page = context.new_page()
        # Bars that grow would be taken half grown.
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        page.goto(f"{address}/login")
        _shoot(page, folder, ("login", locale, theme, width), wanted)
        log_in(page, address)
        for name, path in PAGES.items():
            if (name, locale, theme, width) in wanted:
                page.goto(address + path)
                _shoot(page, folder, (name, locale, theme, width), wanted)
        for name, who, number in _CARDS:
            if (name, locale, theme, width) in wanted:
                verify(page, address, who, number)
                _shoot(page, folder, (name, locale, theme, width), wanted)
        context.close()


_CARDS = (
    ("match", "陈小满", "100101199003080023"),
    ("mismatch", "林小满", "100101199003080023"),
    ("blocked", "陈小满", "100101199003080024"),
    ("refused", "演练限流次数", "100101199003080023"),
)


def _shoot(page: Page, folder: Path, key: tuple[str, str, str, str], wanted: list[tuple[str, str, str, str]]) -> None:
    if key in wanted:
        for chart in page.query_selector_all("[data-chart]"):
            page.wait_for_selector(f"#{chart.get_attribute('id')}[data-drawn=true]")
        page.screenshot(path=folder / f"{'-'.join(key)}.png", full_page=folder != IMAGES)


def main() -> None:
    """Fills a temporary instance, serves it, and takes the pictures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", metavar="FOLDER", type=Path, help="every page and variant, into this folder")
    args = parser.parse_args()
    folder: Path = args.all or IMAGES
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = ["login", *PAGES, *(name for name, _who, _number in _CARDS)]
    every = [(n, locale, theme, width) for n in names for locale in ("zh_CN", "en") for theme in ("light", "dark")
             for width in WIDTHS]  # fmt: skip
    with tempfile.TemporaryDirectory() as instance:
        fill(instance)
        with serving(Path(instance), LIMITS="") as served, running_chromium() as browser:
            shots(browser, served.address, every if args.all else KEPT, folder)
            mail_shots(browser, instance, mail_pictures.EVERY if args.all else mail_pictures.KEPT, folder)


if __name__ == "__main__":
    main()
