"""Fixtures of the journeys: products that really serve, and visitors with browsers of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, StorageState

from tests.journeys.at_the_desk import SitDown, on
from tests.journeys.filling import fill
from tests.journeys.visitor import Visitor
from tests.support.cast import ADMIN, PASSWORD
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
        visitor.leave()
    assert [fault for visitor in visitors for fault in visitor.faults] == []


@pytest.fixture(scope="module")
def sandbox_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox product with an admin, who may verify; a question asked again is answered from memory."""
    instance = tmp_path_factory.mktemp("desk") / "instance"
    with serving(instance, ADMIN_EMAIL=ADMIN.email, ADMIN_PASSWORD=PASSWORD, LIMITS="") as running:
        yield running


@pytest.fixture(scope="module")
def badge(sandbox_product: Served, browser: Browser) -> StorageState:
    """The cookies of somebody who has logged in there."""
    visitor = Visitor(browser.new_context(locale="en"), sandbox_product.address, "en")
    visitor.log_in(ADMIN)
    state = visitor.page.context.storage_state()
    visitor.leave()
    return state


@pytest.fixture
def sit_down(sandbox_product: Served, visit: Visit, badge: StorageState) -> SitDown:
    """Somebody at the desk, the cursor in the box: `sit_down("en", viewport=…)`."""

    def sit(locale: str, **options: Any) -> Visitor:
        visitor = visit(sandbox_product, locale, storage_state=badge, **options)
        visitor.open("/verify")
        on(visitor.page, "scan")
        return visitor

    return sit


@pytest.fixture
def desk(sit_down: SitDown) -> Visitor:
    """The desk in Chinese."""
    return sit_down("zh-CN")
