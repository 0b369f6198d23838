"""The real browser of the tests: Debian's Chromium, driven by plain Playwright."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same browser without the parts that draw a window: a seventh less time."""

FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # it refuses to run as root otherwise; it only ever sees our own pages
)


def chromium_path() -> str:
    """The installed Chromium; raises RuntimeError if there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise RuntimeError("Chromium is missing: `make test` installs it, or says how")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A headless browser with a home folder of its own, which goes with it."""
    with tempfile.TemporaryDirectory(prefix="yuliang-chromium-", ignore_cleanup_errors=True) as home:
        folders = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), home)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(), args=FLAGS, env={**os.environ, **folders}
            )
            yield browser
            browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process; each test opens contexts of its own."""
    with running_chromium() as running:
        yield running
