"""Small words that must be true: no lot at all, a link that was refused, a server that no key opens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.reminders.mailing import mail_of, scene_low
from tests.support.cast import ADMIN, NOW, Desk, Member
from webapp.audit.trail import SYSTEM
from webapp.foundation import runtime
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify.channels.mail import SERVER
from webapp.notify.messages import Attempt, Message, State, Verdict
from webapp.quota.models import Lot
from webapp.reminders import mails, recipients

Open = Callable[[Member | None], Desk]


def faulty(*_figures: object) -> bytes:
    raise KeyError("a fault in the words")


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize(("locale", "words"), [("zh_CN", "已无有效套餐"), ("en", "No lot is valid any more")])
def test_without_a_valid_lot_the_low_mail_does_not_count_to_zero(
    monkeypatch: pytest.MonkeyPatch, locale: str, words: str, short: bool
) -> None:
    scene_low(remaining=2, total=10, calls_a_day=1)
    with transaction() as session:
        session.execute(update(Lot).values(closed_at=NOW))
    if short:
        monkeypatch.setattr(mails, "usage_picture", faulty)

    mail = mail_of(locale)

    assert words in str(mail["Subject"])
    assert "0/0" not in str(mail["Subject"])


@pytest.mark.parametrize(("state", "verdict", "code", "english", "chinese"), [
    (State.REFUSED, Verdict.PERMANENT, 550, "the link was refused", "确认邮件被拒收"),
    (State.FAILED, Verdict.TRANSIENT, 451, "the link was given up", "确认邮件未能送达"),
])  # fmt: skip
def test_a_link_that_did_not_arrive_is_shown_beside_its_recipient(
    app: Flask, desk: Open, state: State, verdict: Verdict, code: int, english: str, chinese: str
) -> None:
    with app.app_context():
        with transaction() as session:
            recipients.add("boss@outside.test", "en", SYSTEM, NOW)
            message = session.scalars(select(Message)).one()
            message.state = state
            session.add(Attempt(message_id=message.id, started_at=NOW, ended_at=NOW, verdict=verdict,
                                stage="recipient", code=code, words="no such mailbox today"))  # fmt: skip
        db.session.remove()

    admin = desk(ADMIN)
    for language, words in (("en", english), ("zh", chinese)):
        page = admin.get("/reminders", headers={"Accept-Language": language}).text
        assert words in page
        assert page.count(f"{code} no such mailbox today") == 2, "at the recipient, and at the message"


def test_a_test_mail_by_a_stored_server_that_no_key_opens_says_so(app: Flask, desk: Open) -> None:
    with app.app_context():
        with transaction() as session:
            runtime.store(SERVER, "smtp://127.0.0.1:9", this_instance().sealer, NOW)
            session.execute(update(runtime.StoredSetting).where(runtime.StoredSetting.name == SERVER)
                            .values(sealed=b"\x01\x02k9" + bytes(40)))  # fmt: skip
        db.session.remove()
    admin, english = desk(ADMIN), {"Accept-Language": "en"}
    answer = admin.post("/reminders/test-mail", {"email": ADMIN.email}, headers=english)
    assert (answer.status_code, answer.location) == (303, "/reminders/mail")

    page = admin.get("/reminders/mail", headers=english).text

    assert "cannot be read with the present keys" in page
