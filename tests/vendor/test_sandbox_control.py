"""The sandbox's own addresses: the page, the counts, the settings; and what it never gives away."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import pickle
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.vendor.sandbox_talk import ANYBODY, Heard, ask, verify
from webapp.vendor.sandbox import meter
from webapp.vendor.sandbox.meter_scenarios import MeterScenario
from webapp.vendor.sandbox.people import PEOPLE
from webapp.vendor.sandbox.scenarios import SCENARIOS
from webapp.vendor.sandbox.server import Sandbox
from webapp.vendor.sandbox.settings import SettingsRefused


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(quota=3) as running:
        yield running


def post(sandbox: Sandbox, path: str, content: object, **headers: str) -> Heard:
    return ask(sandbox, "POST", path, json.dumps(content).encode(), headers)


class Tags(HTMLParser):
    """The page's elements and the addresses it points to."""

    def __init__(self, page: Heard) -> None:
        super().__init__()
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.feed(page.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [str(value) for key, value in attrs if key in ("href", "src", "action")]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_lists_everybody_and_every_situation(sandbox: Sandbox, language: str) -> None:
    page = ask(sandbox, "GET", f"/?lang={language}")
    text = page.body.decode()
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for person in PEOPLE:
        assert person.name in text
        assert person.number in text
    assert all(scenario.name in text for scenario in SCENARIOS)
    assert all(f"<code>{word}</code>" in text for word in (*meter.KEY, meter.PATH))
    assert all(f">{scenario}<" in text for scenario in MeterScenario)


@pytest.mark.parametrize(
    ("query", "accepted", "expected"),
    [
        ("", "", "zh-CN"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "fr, zh;q=0.5", "zh-CN"),
        ("?lang=en", "zh-CN", "en"),
        ("?lang=zh", "en", "zh-CN"),
        ("?lang=%3Cscript%3E", "en", "en"),
    ],
)
def test_the_page_speaks_the_readers_language(sandbox: Sandbox, query: str, accepted: str, expected: str) -> None:
    page = ask(sandbox, "GET", f"/{query}", headers={"Accept-Language": accepted})
    assert f'<html lang="{expected}">' in page.body.decode()


def test_the_page_runs_no_script_and_calls_no_other_host(sandbox: Sandbox) -> None:
    page = ask(sandbox, "GET", "/")
    tags = Tags(page)
    policy = page.headers["Content-Security-Policy"]
    style = re.search(rb"<style>(.*)</style>", page.body, re.DOTALL)
    assert "script" not in tags.names
    assert all(address.startswith(("/", "#")) for address in tags.addresses)
    assert policy.startswith("default-src 'none';")
    assert style
    assert base64.b64encode(hashlib.sha256(style[1]).digest()).decode() in policy
    assert "unsafe" not in policy


def test_counts_are_told(sandbox: Sandbox) -> None:
    verify(sandbox, "陈小满")
    verify(sandbox, "演练套餐过期")
    assert ask(sandbox, "GET", "/_sandbox/counts").json() == {
        "run": 1,
        "received": 2,
        "answered": 2,
        "charged": 1,
        "quota": 3,
        "remaining": 2,
        "appcode_in_url": 0,
        "people": 2,
        "charged_twice": 0,
        "by_code": {"0000": 1, "B403ME": 1},
        "metered": 0,
    }


def test_looking_is_not_counted(sandbox: Sandbox) -> None:
    for path in ("/", "/_sandbox/counts", "/_sandbox/people", "/_sandbox/nothing"):
        ask(sandbox, "GET", path)
    assert sandbox.counts().received == 0


def test_a_reset_starts_a_new_run_and_keeps_the_settings(sandbox: Sandbox) -> None:
    verify(sandbox, "陈小满")
    heard = ask(sandbox, "POST", "/_sandbox/reset").json()
    assert (heard["run"], heard["received"], heard["charged"], heard["quota"]) == (2, 0, 0, 3)


def test_settings_are_changed_while_it_runs(sandbox: Sandbox) -> None:
    heard = post(sandbox, "/_sandbox/settings", {"scenario": "旧网关余量用尽", "latency_ms": 1, "quota": None})
    expected = {
        "quota": None,
        "appcode": None,
        "scenario": "旧网关余量用尽",
        "latency_ms": 1,
        "slow_ms": 3000,
        "trickle_ms": 1000,
        "bought": 1_000_000,
        "elsewhere": 0,
        "meter_lag_calls": 0,
        "meter_lag_seconds": 0,
        "meter_page_size": 20,
        "meter_clock_seconds": 0,
        "meter_scenario": None,
    }
    assert heard.json() == expected
    assert ask(sandbox, "GET", "/_sandbox/settings").json() == expected
    assert verify(sandbox, "陈小满").headers["X-Ca-Error-Message"] == "Quota Exhausted"


def test_a_configured_appcode_is_never_shown(sandbox: Sandbox) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    heard = post(sandbox, "/_sandbox/settings", {"appcode": secret})
    assert heard.json()["appcode"] == "(set)"
    assert secret not in ask(sandbox, "GET", "/_sandbox/settings").body.decode()


@pytest.mark.parametrize(
    "content",
    [{"quota": -1}, {"speed": 1}, {"scenario": "无"}, [], "text", None, 7, {"elsewhere": -1}, {"bought": 1.5},
     {"meter_scenario": "none"}, {"meter_page_size": 0}, {"meter_clock_seconds": "1"}, {"meter_lag_calls": None}],
)  # fmt: skip
def test_a_wrong_setting_is_refused_and_changes_nothing(sandbox: Sandbox, content: object) -> None:
    before = ask(sandbox, "GET", "/_sandbox/settings").json()
    heard = post(sandbox, "/_sandbox/settings", content)
    assert heard.status == 400
    assert heard.json()["error"]
    assert ask(sandbox, "GET", "/_sandbox/settings").json() == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b'{"quota": 1' + b" " * 70_000 + b"}"])
def test_what_is_no_json_object_is_refused(sandbox: Sandbox, body: bytes) -> None:
    heard = ask(sandbox, "POST", "/_sandbox/settings", body)
    assert heard.status == 400
    assert "JSON object" in heard.json()["error"]


def test_settings_in_the_same_process_are_checked_too(sandbox: Sandbox) -> None:
    with pytest.raises(SettingsRefused):
        sandbox.change(quota="many")
    with pytest.raises(SettingsRefused):
        Sandbox(quota=-1)


def test_how_often_a_person_was_asked_about_is_told_to_who_names_them(sandbox: Sandbox) -> None:
    verify(sandbox, "陈小满")
    verify(sandbox, "陈小满")
    heard = post(sandbox, "/_sandbox/calls", {"name": "陈小满", "idNo": ANYBODY})
    assert heard.json() == {"received": 2, "charged": 2}
    assert post(sandbox, "/_sandbox/calls", {"name": "林知远", "idNo": ANYBODY}).json()["received"] == 0
    assert post(sandbox, "/_sandbox/calls", {"name": "陈小满"}).status == 400


def test_nobody_who_was_asked_about_is_kept_readable(sandbox: Sandbox) -> None:
    verify(sandbox, "真实姓名", "100103199307250450")
    verify(sandbox, "演练限流两次后答复", "100103199307250450")
    books: dict[str, Any] = {key: value for key, value in vars(sandbox.state.run).items() if key != "_lock"}
    kept = pickle.dumps(books)
    assert "真实姓名".encode() not in kept
    assert b"100103199307250450" not in kept
    assert sandbox.counts().people == 2


def test_nothing_is_logged(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("陈小满", "演练余量用尽", "演练正文中断", "演练连接重置"):
        with contextlib.suppress(OSError, http.client.HTTPException):
            verify(sandbox, name)
    sandbox.stop()
    assert capfd.readouterr() == ("", "")


def test_people_and_situations_are_told_to_scripts(sandbox: Sandbox) -> None:
    people = ask(sandbox, "GET", "/_sandbox/people").json()
    assert {"name": "陈小满", "idNo": ANYBODY, "zh": "女", "en": "woman"} in people
    scenarios = ask(sandbox, "GET", "/_sandbox/scenarios").json()
    assert [row["name"] for row in scenarios] == [scenario.name for scenario in SCENARIOS]
    assert scenarios[0]["outcome"] == "match"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_sandbox/nothing", 404),
        ("GET", "/_sandbox/", 404),
        ("GET", "/_sandbox/reset", 405),
        ("DELETE", "/_sandbox/counts", 405),
    ],
)
def test_a_wrong_address_says_what_there_is(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    heard = ask(sandbox, method, path)
    assert heard.status == status
    assert heard.json()["error"]


def test_a_page_of_another_origin_cannot_reset_the_books(sandbox: Sandbox) -> None:
    verify(sandbox, "陈小满")
    assert ask(sandbox, "POST", "/_sandbox/reset", headers={"Origin": "https://evil.invalid"}).status == 403
    assert ask(sandbox, "POST", "/_sandbox/reset", headers={"Origin": "null"}).status == 403
    assert sandbox.counts().received == 1
    assert ask(sandbox, "POST", "/_sandbox/reset", headers={"Origin": sandbox.url}).status == 200
    assert sandbox.counts().received == 0


def test_its_own_answers_may_not_be_framed_cached_or_sniffed(sandbox: Sandbox) -> None:
    for path in ("/", "/_sandbox/counts"):
        headers = ask(sandbox, "GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
