"""Fixtures of the journeys: products that really serve, and visitors with browsers of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.journeys.filling import fill
from tests.journeys.visitor import Visitor
from tests.support.serve import Served, serving

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A product in use, with the cast and something to see on every page."""
    instance = tmp_path_factory.mktemp("filled") / "instance"
    fill(instance)
    with serving(instance, LIMITS="") as served:
        yield served


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a visitor's browser: `visit(served, "en", viewport=…)`. None may have met a fault at the end."""
    visitors: list[Visitor] = []

    def come(served: Served, locale: str, **options: Any) -> Visitor:
        context = browser.new_context(locale=locale, **options)
        visitors.append(Visitor(context, served.address, locale))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.page.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []
