"""The audit trail's page: newest first, in pages both ways, by action and days; bad input is answered plainly."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.support.cast import ADMIN, AUDITOR, NOW, Desk, Member
from webapp.audit.trail import SYSTEM, Action, append
from webapp.foundation.database import transaction

Open = Callable[[Member | None], Desk]
MANY = 230


@pytest.fixture
def filled(app: Flask) -> Flask:
    """Records of lots 1 to 230, one a minute, among others."""
    with app.app_context(), transaction():
        for number in range(1, MANY + 1):
            append(SYSTEM, Action.LOT_RECORDED, NOW + timedelta(minutes=number), on=("lot", number), note="<b>&\"'")
            append(SYSTEM, Action.LOGIN, NOW + timedelta(minutes=number))
    return app


def lots(page: str) -> list[int]:
    return [int(number) for number in re.findall(r">Lot (\d+)<", page)]


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'<a [^>]*href="([^"]+)" rel="{rel}"', page)
    return found[1].replace("&amp;", "&") if found else None


def read(desk: Desk, url: str) -> str:
    answer = desk.get(url, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.text


def all_pages(auditor: Desk) -> list[str]:
    """The pages of all lots that were recorded, as the links lead from the first to the last."""
    pages: list[str] = []
    url: str | None = "/audit?action=lot_recorded"
    while url:
        pages.append(read(auditor, url))
        url = link(pages[-1], "next")
        assert len(pages) < 30, "the pages do not end"
    return pages


def test_pages_lead_through_all_records_and_back(filled: Flask) -> None:
    auditor = Desk(filled, AUDITOR)
    pages = all_pages(auditor)
    page, seen = pages[-1], [lots(page) for page in pages]

    assert [number for numbers in seen for number in numbers] == list(range(MANY, 0, -1))
    assert [len(numbers) for numbers in seen] == [100, 100, 30]
    back = read(auditor, link(page, "prev") or "")
    assert lots(back) == seen[1]
    assert lots(read(auditor, link(back, "prev") or "")) == seen[0]
    assert "action=lot_recorded" in (link(back, "next") or "")


def test_records_are_found_by_action_and_by_days_of_the_reporting_zone(filled: Flask) -> None:
    admin = Desk(filled, ADMIN)
    midnight = datetime(2026, 11, 9, 16, tzinfo=UTC)
    tick, day = timedelta(microseconds=1), timedelta(days=1)
    with filled.app_context(), transaction():
        for number, at in enumerate((midnight - tick, midnight, midnight + day - tick, midnight + day), start=901):
            append(SYSTEM, Action.LOT_RECORDED, at, on=("lot", number))

    assert lots(read(admin, "/audit?from=2026-11-10&to=2026-11-10")) == [903, 902]
    assert lots(read(admin, "/audit?from=2026-11-09&action=lot_recorded")) == [904, 903, 902, 901]
    assert lots(read(admin, "/audit?action=login")) == []
    assert lots(read(admin, "/audit?action=&from=&to=2026-11-01")) == []


def test_a_wrong_filter_is_said_and_a_wrong_place_is_the_newest_page(filled: Flask) -> None:
    admin = Desk(filled, ADMIN)
    wrong = [("action", "nonsense"), ("action", "\0"), ("action", "x" * 5000), ("from", "2026-02-30"), ("to", "soon"),
             ("from", "1900-01-01"), ("to", "9999-12-31"), ("from", "\0")]  # fmt: skip

    statuses = {(name, value[:9]): admin.get("/audit", query_string={name: value}).status_code for name, value in wrong}

    assert set(statuses.values()) == {422}, statuses
    assert admin.get("/audit?from=2026-11-03&to=2026-11-02").status_code == 422
    assert admin.get("/audit?action=login&action=logout").status_code == 422
    wrong_places = ["below=x", "above=-0", "below=--1", "above=-", f"below=-{2**62}",
                    "below=", "below=" + "9" * 40, "above=1e5-2", "below=%00", "below=٣-٣",
                    "above=²", "below=7-0", f"below=7-{2**62}", f"above={2**52}-1", "above=7", "below=7-7-7",
                    "below=7-7%0a"]  # fmt: skip
    for place in wrong_places:
        assert lots(read(admin, f"/audit?action=lot_recorded&{place}"))[0] == MANY, place
    assert lots(read(admin, "/audit?below=1-1")) == []
    assert lots(read(admin, f"/audit?above={2**52 - 1}-{10**17}")) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_record_holds_is_shown_as_text(filled: Flask) -> None:
    page = read(Desk(filled, ADMIN), "/audit?action=lot_recorded")

    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
