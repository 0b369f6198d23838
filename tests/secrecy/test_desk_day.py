"""Nothing leaves its seal: a whole day at the desk, then every byte that was kept is searched."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.secrecy.days import a_day_at_the_desk, trouble
from tests.secrecy.planted import NUMBER, SECRETS, kept, leaks, outside_the_card
from tests.support.cast import OPERATOR
from webapp.vendor.sandbox.server import Sandbox


def test_a_day_leaves_no_name_number_appcode_or_password_anywhere(
    app: Flask, sandbox: Sandbox, logged: io.StringIO, tmp_path: Path
) -> None:
    a_day_at_the_desk(app, sandbox)
    trouble(app)
    cookies = SecureCookieSessionInterface().get_signing_serializer(app)
    assert cookies is not None

    storage = dict(kept(app, tmp_path))
    assert any(OPERATOR.email.encode() in content for content in storage.values()), "the database was looked into"

    lines = [line for line in logged.getvalue().splitlines() if line]
    assert sum('"event": "request"' in line for line in lines) > 50
    assert any("cannot ask about" in line for line in lines), "the fault was logged"
    answers = app.test_client_class.answers  # type: ignore[union-attr]
    assert {200, 303, 400, 404, 422, 500, 503} <= {answer.status_code for _path, answer in answers}
    typed = {f"/{NUMBER}/{SECRETS['name']}", f"/verifications/{NUMBER}"}
    told: list[tuple[str, bytes | str]] = [(f"log {line[:200]}", line) for line in lines]
    for path, answer in answers:
        told += outside_the_card("as typed" if path in typed else path, answer)
        for value in re.findall(r"yuliang=([^;]+)", " ".join(answer.headers.getlist("Set-Cookie"))):
            told.append((f"cookie of {path}", json.dumps(cookies.loads(value), default=str)))

    assert leaks([*storage.items(), *told]) == []
