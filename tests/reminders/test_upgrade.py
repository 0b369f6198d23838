"""An instance of before messages had readers: nobody is told again, and who waits is told where they are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from tests.conftest import settings_for
from tests.reminders.story import messages, review
from tests.support.cast import ADMIN, AUDITOR, NOW
from tests.support.postgres import PostgresServer
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.database import db, transaction
from webapp.reminders.queries import recipient_by_email

BEFORE = (
    f"INSERT INTO app_user (id, email, name, role, password_hash, session_epoch, active, created_at) VALUES "
    f"(1, 'moved@yuliang.test', 'a', 'admin', '', 0, TRUE, '{NOW}'), (4, '{AUDITOR.email}', 'b', 'auditor', '', 0, "
    f"TRUE, '{NOW}')",
    f"INSERT INTO reminder_recipient (id, email, user_id, locale, low, expiry, confirmed_at, created_at) VALUES "
    f"(1, '{ADMIN.email}', 1, 'en', TRUE, TRUE, '{NOW}', '{NOW}'), (2, '{AUDITOR.email}', 4, 'en', TRUE, TRUE, "
    f"'{NOW}', '{NOW}')",
    f"INSERT INTO reminder_episode (id, rule, key, due_at, opened_at, late, remaining, total, mark) VALUES "
    f"(1, 'low', 'low:0', '{NOW}', '{NOW}', FALSE, 1, 10, 0)",
    *(f"INSERT INTO message (id, key, cause, kind, params, channel, address, locale, wire_id, created_at, state, "
      f"next_at, attempts, subject, body, reason) VALUES ({number}, 'episode:1:{number}', 'episode:1', 'reminder.low', "
      f"'{{\"episode\": 1}}', 'mail', '{address}', 'en', 'x{number}', '{NOW}', '{state}', '{NOW}', 1, '', '', '')"
      for number, address, state in ((1, ADMIN.email, 'refused'), (2, AUDITOR.email, 'sent'))),
    f"INSERT INTO notice (id, key, role, kind, params, created_at) VALUES "
    f"(1, 'nobody_told', 'admin', 'nobody_told', '{{}}', '{NOW}'), (2, 'x', 'admin', 'calls_stop', '{{}}', '{NOW}')",
    f"INSERT INTO notice_dismissal (notice_id, user_id, at) VALUES (1, 1, '{NOW}')",
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An instance under the schema of before, in its context."""
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    app = create_app(settings_for(tmp_path / "instance", url))
    with app.app_context():
        upgrade(directory=str(schema.FOLDER), revision="0008")
        with transaction() as session:
            for statement in BEFORE:
                session.connection().exec_driver_sql(statement.replace("+00:00'", "'") if url is None else statement)
        yield app
        db.session.remove()
        db.engine.dispose()
    if url is not None:
        server.drop_database(url)


@pytest.mark.usefixtures("old")
def test_messages_find_their_readers_and_the_notices_that_banners_replace_go() -> None:
    schema.migrate(NOW)
    review(NOW + timedelta(hours=1))

    assert [(one.address, one.state) for one in messages()] == [
        ("moved@yuliang.test", "queued"), (AUDITOR.email, "sent")
    ]  # fmt: skip
    for address in ("moved@yuliang.test", AUDITOR.email):
        recipient = recipient_by_email(address)
        assert recipient is not None
        assert [one.reader for one in messages() if one.address == address] == [recipient.reader]
    assert db.session.scalars(text("SELECT kind FROM notice")).all() == ["calls_stop"]
