"""What every page shares: how things are written, which language and theme, where a log-in may forward to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import pytest
from flask import Flask, session
from flask_babel import force_locale
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cast import OPERATOR, Desk, attribute
from webapp.foundation import pages
from webapp.foundation.pages import safe_next

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

HOSTILE = ["//evil.example", "///evil.example", "/\\evil.example", "/\\/evil.example", "\\\\evil.example", "/\x1f/evil",
           "http://evil.example", "https:evil.example", "javascript:alert(1)", "evil.example", " /x",
           "\t//evil.example", "/\t/evil.example", "/\n/evil.example", "/x\r\nSet-Cookie: a=b", "/x\\y", "/\x00",
           "@evil.example", "http:/evil.example", "data:text/html,x", "", None]  # fmt: skip


@pytest.mark.parametrize("target", HOSTILE)
def test_a_hostile_target_is_not_followed(target: str | None) -> None:
    assert safe_next(target, "/default") == "/default"


@pytest.mark.parametrize("target", ["/", "/history?outcome=match&from=2026-11-01", "/users/3", "/a%2F%2Fb", "/x#part"])
def test_a_place_of_this_site_is_followed(target: str) -> None:
    assert safe_next(target, "/default") == target


@given(st.text(st.sampled_from("/\\:@.?#%\t\n\r \0evil*x2Fhtps[]"), max_size=12))
@settings(max_examples=500)
def test_whatever_is_followed_has_no_host(target: str) -> None:
    followed = safe_next(target, "/default")

    as_a_browser_reads_it = "".join(c for c in followed.strip() if c not in "\t\r\n").replace("\\", "/")
    assert as_a_browser_reads_it.startswith("/")
    assert not as_a_browser_reads_it.startswith("//")
    assert urlsplit(as_a_browser_reads_it).netloc == ""


@on_one_database
def test_instants_days_money_and_counts_are_written_for_the_reader(app: Flask) -> None:
    with app.test_request_context():
        at = datetime(2026, 11, 1, 16, 0, 59, tzinfo=UTC)
        assert pages.when(at) == "2026-11-02 00:00:59"
        with force_locale("en"):
            assert (pages.day(date(2026, 11, 2)), pages.yuan(310), pages.number(1842)) == (
                "Nov 2, 2026",
                "¥3.10",
                "1,842",
            )
        with force_locale("zh_CN"):
            assert (pages.day(date(2026, 11, 2)), pages.yuan(8_499_900)) == ("2026年11月2日", "¥84,999.00")
        assert [pages.percent(ratio) for ratio in (1, 0.1842, 0.5, 0, 0.0004)] == ["100%", "18.4%", "50%", "0%", "0%"]


@on_one_database
def test_what_is_not_known_is_a_dash(app: Flask) -> None:
    with app.test_request_context():
        assert {write(None) for write in (pages.when, pages.day, pages.yuan, pages.percent)} == {"–"}


@on_one_database
def test_the_language_is_what_the_browser_asks_for(app: Flask) -> None:
    wanted = {"": "zh_CN", "en": "en", "en-GB,zh;q=0.5": "en", "zh-TW": "zh_CN", "fr,en;q=0.1": "en", "fr": "zh_CN",
              "zh;q=0.1,en;q=0.9": "en", "*": "zh_CN", "\x80;;q=x": "zh_CN", "en;q=nonsense": "zh_CN"}  # fmt: skip
    chosen = {}
    for asked in wanted:
        with app.test_request_context(headers={"Accept-Language": asked}):
            chosen[asked] = pages.choose_locale()

    assert chosen == wanted


@on_one_database
def test_a_choice_in_this_browser_goes_before_what_it_asks_for(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        session["locale"], session["theme"] = "en", "dark"
        assert (pages.choose_locale(), pages.choose_theme()) == ("en", "dark")
        session["locale"], session["theme"] = "xx", "pink"
        assert (pages.choose_locale(), pages.choose_theme()) == ("zh_CN", "auto")


@on_one_database
def test_the_fallback_language_is_a_setting(make_app: object) -> None:
    app: Flask = make_app(LOCALE="en")  # type: ignore[operator]
    with app.test_request_context():
        assert pages.choose_locale() == "en"


def test_a_users_choice_follows_them_to_another_browser(app: Flask) -> None:
    Desk(app, OPERATOR).post("/preferences", {"locale": "en", "theme": "dark", "next": "/"})

    page = Desk(app, OPERATOR).get("/", headers={"Accept-Language": "zh"}).text

    assert (attribute(page, "lang"), attribute(page, "data-bs-theme")) == ("en", "dark")


@on_one_database
def test_a_strangers_choice_stays_in_the_browser_and_survives_the_log_in(app: Flask) -> None:
    browser = Desk(app, None)
    browser.post("/preferences", {"locale": "en", "theme": "light"})

    page = browser.get("/login").text

    assert (attribute(page, "lang"), attribute(page, "data-bs-theme")) == ("en", "light")


@on_one_database
def test_an_unknown_choice_changes_nothing(app: Flask) -> None:
    desk = Desk(app, OPERATOR)
    choices: list[dict[str, str]] = [{}, {"locale": "xx"}, {"theme": "pink"}, {"locale": "", "theme": "\0" * 1000}]
    for choice in choices:
        answer = desk.post("/preferences", choice | {"next": "//evil.example"})

        assert (answer.status_code, answer.location) == (303, "/")
        page = desk.get("/").text
        assert (attribute(page, "lang"), attribute(page, "data-bs-theme")) == ("zh-CN", "auto"), choice


@on_one_database
def test_a_number_that_no_row_can_have_is_not_found(app: Flask) -> None:
    for number in (10**18, 2**63, int("9" * 300)):
        assert Desk(app, OPERATOR).get(f"/verifications/{number}").status_code == 404


def test_the_highest_number_a_row_can_have_is_only_not_there(app: Flask) -> None:
    assert Desk(app, OPERATOR).get(f"/verifications/{10**18 - 1}").status_code == 404
