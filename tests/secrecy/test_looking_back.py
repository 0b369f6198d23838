"""Nor does looking back, with exports, reveals, notices and mails; nor does a copy, or a rotation of keys."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from tests.configuration.rotating import rotate
from tests.notify.servers import mail_server
from tests.secrecy.days import a_day_at_the_desk, looking_back
from tests.secrecy.planted import FORMS, NUMBER, Witness, in_the_servers_log, kept, leaks, mailed
from tests.support.cast import ADMIN, Desk
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.notify import sending
from webapp.vendor.sandbox.server import Sandbox


def test_looking_back_leaves_nothing_either_nor_does_a_copy_nor_a_rotation_of_keys(
    make_app: Callable[..., Flask], sandbox: Sandbox, logged: io.StringIO, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "there is no such folder"))  # nothing may write there
    with mail_server() as inbox:
        app = make_app(APPCODE="", SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test")
        app.test_client_class = type("Remembering", (Witness,), {"answers": []})
        Desk(app, ADMIN).post("/reminders/recipients/me")
        Desk(app, ADMIN).post("/reminders/recipients", {"email": "boss@outside.test", "locale": "zh_CN"})
        Desk(app, ADMIN).record_lot(50, expires_on=f"{utc_now() + timedelta(days=5):%Y-%m-%d}")  # a reminder is due
        a_day_at_the_desk(app, sandbox)
        told: list[tuple[str, bytes | str]] = list(looking_back(app))
        with app.app_context():
            sending.drain(this_instance(), utc_now())
            db.session.remove()
    assert {"boss@outside.test", ADMIN.email} <= {address for address, _mail in inbox.mails}
    told += [(f"mail to {place}", said) for place, said in mailed(inbox)]
    with app.app_context():
        copy = schema.back_up(utc_now())
    rotate(app)

    storage = dict(kept(app, tmp_path))
    assert (copy is None) == ("pg_dump" in storage)
    assert copy is None or str(Path(copy).relative_to(tmp_path)) in storage
    told += [(f"log {line[:200]}", line) for line in logged.getvalue().splitlines()]
    planted_here = {form for form in FORMS["a name of two rare characters"] if len(form) > 7}
    beside = [place for place, content in in_the_servers_log(app) if any(form in content for form in planted_here)]
    for path, answer in app.test_client_class.answers:  # type: ignore[attr-defined]
        if path.startswith(("/history", "/audit", "/verifications")) and quote(NUMBER) not in path:
            said = [str([one for one in answer.headers if one[0] != "Set-Cookie"])]
            if answer.mimetype == "text/html":
                said += re.findall(r"<title>.*?</title>", answer.text, re.DOTALL)
                said += re.findall(r'(?:href|src|action|hx-\w+)="([^"]*)"', answer.text)
            told += [(f"address or title of {path}", one) for one in said]

    assert leaks([*storage.items(), *told]) == []
    assert beside == [], "in the log of the server"
