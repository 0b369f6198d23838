"""Fixtures of the byte search: a product whose every answer and every log line is kept."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.secrecy.planted import Witness
from tests.support.postgres import write_anew
from webapp.watching import logs


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that the product logs, at the most talkative level."""
    written = io.StringIO()
    quiet = [logging.getLogger(name) for name in ("urllib3", "werkzeug", "alembic", "sqlalchemy.engine")]
    levels = [logger.level for logger in quiet]
    with contextlib.redirect_stderr(written):
        logs.configure("DEBUG")
    for logger in quiet:
        logger.setLevel(logging.DEBUG)
    yield written
    for logger, level in zip(quiet, levels, strict=True):
        logger.setLevel(level)
    logs.configure("ERROR")


@pytest.fixture(autouse=True)
def nothing_left_over(request: pytest.FixtureRequest) -> None:
    """What other tests removed from a server's database still stands in its files, and they plant the same people."""
    if "postgresql" in request.node.name:
        write_anew(request.getfixturevalue("database"))


@pytest.fixture
def app(logged: io.StringIO, make_app: Callable[..., Flask]) -> Flask:
    """The product, with browsers that remember; the AppCode is entered on its page."""
    app = make_app(APPCODE="")
    app.test_client_class = type("Remembering", (Witness,), {"answers": []})
    return app
