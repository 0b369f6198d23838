"""An instance of before messages had readers: nobody is told again, and who waits is told where they are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import MetaData, text

from tests.conftest import settings_for
from tests.reminders.story import messages, review
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Member
from tests.support.postgres import PostgresServer
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.database import db, transaction
from webapp.reminders.queries import deliverable, recipient_by_email
from webapp.reminders.rules import Rule


def message(number: int, address: str, state: str) -> dict[str, Any]:
    return {
        "id": number, "key": f"episode:1:{number}", "cause": "episode:1", "kind": "reminder.low",
        "params": {"episode": 1}, "channel": "mail", "address": address, "locale": "en", "wire_id": f"x{number}",
        "created_at": NOW, "state": state, "next_at": NOW, "attempts": 1, "subject": "", "body": "", "reason": "",
    }  # fmt: skip


def user(member: Member, email: str) -> dict[str, Any]:
    return {"id": member.id, "email": email, "name": member.name, "role": member.role.value, "password_hash": "",
            "session_epoch": 0, "active": True, "created_at": NOW}  # fmt: skip


def recipient(number: int, member: Member, asked_at: datetime | None = None) -> dict[str, Any]:
    return {"id": number, "email": member.email, "user_id": member.id, "locale": "en", "low": True, "expiry": True,
            "confirmed_at": NOW, "asked_at": asked_at, "created_at": NOW}  # fmt: skip


BEFORE: dict[str, list[dict[str, Any]]] = {
    "app_user": [user(ADMIN, "moved@yuliang.test"), user(AUDITOR, AUDITOR.email), user(OPERATOR, OPERATOR.email)],
    "reminder_recipient": [recipient(1, ADMIN), recipient(2, AUDITOR, NOW), recipient(3, OPERATOR)],
    "reminder_episode": [{"id": 1, "rule": "low", "key": "low:0", "due_at": NOW, "opened_at": NOW, "late": False,
                          "remaining": 1, "total": 10, "mark": 0}],
    "message": [message(1, ADMIN.email, "refused"), message(2, AUDITOR.email, "sent"),
                message(3, OPERATOR.email, "failed")],
    "message_attempt": [{"id": number, "message_id": 3, "started_at": NOW, "ended_at": NOW, "verdict": "transient",
                         "stage": stage, "words": ""} for number, stage in ((1, "recipient"), (2, "login"))],
    "notice": [{"id": number, "key": kind, "role": "admin", "kind": kind, "params": {}, "created_at": NOW}
               for number, kind in ((1, "nobody_told"), (2, "calls_stop"))],
    "notice_dismissal": [{"notice_id": 1, "user_id": 1, "at": NOW}],
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An instance under the schema of before, in its context."""
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    app = create_app(settings_for(tmp_path / "instance", url))
    with app.app_context():
        schema.upgrade("0008")
        tables = MetaData()
        tables.reflect(db.engine)
        with transaction() as session:
            for name, rows in BEFORE.items():
                session.execute(tables.tables[name].insert(), rows)
        yield app
        db.session.remove()
        db.engine.dispose()
    if url is not None:
        server.drop_database(url)


@pytest.mark.usefixtures("old")
def test_messages_find_their_readers_and_the_notices_that_banners_replace_go() -> None:
    schema.migrate(NOW)
    assert [(one.state, one.reason) for one in messages()][2] == ("failed", "server")
    review(NOW + timedelta(hours=1))

    assert [(one.address, one.state) for one in messages()] == [
        ("moved@yuliang.test", "queued"), (AUDITOR.email, "sent"), (OPERATOR.email, "failed")
    ]  # fmt: skip
    for address in ("moved@yuliang.test", AUDITOR.email):
        found = recipient_by_email(address)
        assert found is not None
        assert [one.reader for one in messages() if one.address == address] == [found.reader]
    assert db.session.scalars(text("SELECT kind FROM notice ORDER BY kind")).all() == [
        "calls_stop",
        "recipient_demoted",
    ]
    assert [one.address for one in deliverable(Rule.LOW)] == ["moved@yuliang.test", AUDITOR.email], (
        "an operator who was never asked by mail was an admin once"
    )
