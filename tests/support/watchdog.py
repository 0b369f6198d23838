"""A test that hangs ends its process and is named, instead of keeping all others waiting for ever: some waits of a
browser's driver know no end of their own."""

from __future__ import annotations

import faulthandler
from collections.abc import Generator

import pytest

LONGEST = 900
"""Seconds; the slowest test, the walk through every page, takes a third of it on a machine that is busy with more."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    if item.get_closest_marker("long"):
        return (yield)
    faulthandler.dump_traceback_later(LONGEST, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
