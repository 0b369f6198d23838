"""Every text of the product is there in both languages, and each page speaks one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask
from werkzeug.test import TestResponse

from tests.journeys.filling import CARDS, LONGEST, fill
from tests.journeys.walk import NO_PAGES
from tests.support.cast import ADMIN, CAST, OPERATOR, Desk
from webapp import create_app
from webapp.foundation.database import db
from webapp.history import search_places
from webapp.reminders.presets import PRESETS
from webapp.settings import SETTINGS, read_settings
from webapp.vendor.sandbox.people import PEOPLE, PLACES
from webapp.vendor.sandbox.scenarios import SCENARIOS
from webapp.verification.tour import NAMES
from webapp.watching import logs

ROOT = Path(__file__).parents[1]
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd%]|\{\w*\}")
SAME_IN_CHINESE = {"AppCode"}


@cache
def catalogue() -> Catalog:
    """The Chinese catalogue."""
    with (ROOT / "webapp/translations/zh/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="zh_CN")


@cache
def texts() -> frozenset[str | tuple[str, ...]]:
    """Every text of code and templates that is marked for translation, by the mapping and keywords of the Makefile."""
    named = re.findall(r"--keyword (\w+)", (ROOT / "Makefile").read_text())
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(
        ROOT, methods, options, keywords=DEFAULT_KEYWORDS | parse_keywords(named),
        directory_filter=lambda folder: not Path(folder).name.startswith((".", "node_modules")),
    )  # fmt: skip
    return frozenset(message for _file, _line, message, _comments, _context in found)


def one(text: str | Sequence[str]) -> str:
    """A text, or the singular of one with a number."""
    return text if isinstance(text, str) else text[0]


def forms(message: Message) -> tuple[str, ...]:
    """The Chinese forms of a message: one, as a rule."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def entries() -> list[Message]:
    """All entries but the head."""
    return [message for message in catalogue() if message.id]


def test_the_texts_of_code_and_templates_are_found() -> None:
    assert {"Log in", "Match", "Web processes"} <= {one(text) for text in texts()}


def test_every_text_has_a_chinese_one() -> None:
    there = {one(message.id) for message in entries() if all(forms(message))}
    assert sorted(one(text) for text in texts() if one(text) not in there) == []


def test_a_chinese_text_is_chinese() -> None:
    spoken = [(one(entry.id), PLACEHOLDER.sub("", form)) for entry in entries() for form in forms(entry)]
    english = [text for text, form in spoken if re.search(r"[A-Za-z]{2,}", form) and not HAN.search(form)]
    assert [text for text in english if text not in SAME_IN_CHINESE] == []


def test_no_text_is_kept_that_nothing_uses() -> None:
    used = {one(text) for text in texts()}
    assert [one(message.id) for message in entries() if one(message.id) not in used] == []
    assert [one(message.id) for message in catalogue().obsolete.values()] == []


def test_no_translation_is_a_guess() -> None:
    assert [one(message.id) for message in entries() if message.fuzzy] == []


def test_a_translation_has_the_same_placeholders() -> None:
    differing = []
    for message in entries():
        ids = (message.id,) if isinstance(message.id, str) else message.id
        wanted = sorted(PLACEHOLDER.findall(ids[-1]))
        if any(sorted(PLACEHOLDER.findall(form)) != wanted for form in forms(message)):
            differing.append(one(message.id))
    assert differing == []


SPOKEN = {"title", "aria-label", "alt", "placeholder"}
HOOKS = re.compile(r"[a-z0-9_-]*|\d+(?:\.\d+)?")
"""Values of data attributes that are for scripts."""
HOOK_NAMES = {"data-job"}
VOID = {"meta", "link", "input", "br", "hr", "img"}
UNSPOKEN_KEYS = {"key", "zone", "kind", "axis", "draw", "file"}
"""Of the JSON that scripts read."""


class Speech(HTMLParser):
    """What a page says to its reader, seen or heard; not what is marked as another language's or as program text."""

    def __init__(self, page: str, language: str) -> None:
        super().__init__()
        self.language = language
        self.said: list[str] = []
        self._silent: list[str] = []
        self._json = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        foreign = given.get("lang", self.language).split("-")[0] != self.language
        program = tag in ("style", "code") or (tag == "script" and "json" not in given.get("type", ""))
        if (self._silent or foreign or program) and tag not in VOID:
            self._silent.append(tag)
        if self._silent or tag == "meta":
            return
        self._json = tag == "script"
        self.said += [value for name, value in given.items() if name in SPOKEN or spoken_by(name, value)]

    def handle_endtag(self, tag: str) -> None:
        self._json = False
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if self._json:
            self.said += spoken_in(json.loads(data))
        elif not self._silent:
            self.said.append(data)


def spoken_by(name: str, value: str) -> bool:
    """Whether a data attribute holds words, and no hook for scripts."""
    return name.startswith("data-") and name not in HOOK_NAMES and HOOKS.fullmatch(value) is None


def spoken_in(value: object) -> Iterator[str]:
    """The texts of JSON data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from spoken_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in UNSPOKEN_KEYS:
                yield from spoken_in(item)


REFUSED = {
    "/login": ({}, {"email": "x" * 300, "password": "x" * 300}),
    "/verify": ({}, {"name": "名" * 101, "id_number": "1", "purpose": "99", "reference": "x" * 100}, {"name": "\t\0a"},
                {"id_number": "123456789012345"}, {"id_number": "11010519491331002X"}),
    "/quota/lots/new": ({}, {"calls": "many", "bought_on": "x", "expires_on": "x", "price": "x"},
                        {"calls": "0", "bought_on": "1900-01-01", "expires_on": "1900-01-01", "price": "-1"}),
    "/users/new": ({}, {"name": "x" * 100, "email": "x", "role": "king", "password": "short"}),
    "/users/2": ({}, {"name": "x\0", "email": ADMIN.email, "role": "king", "password": "12345678"}),
    "/settings": ({}, {"appcode": "x y"}),
    "/profile": ({}, {"current_password": "x", "new_password": "y"}),
}  # fmt: skip
"""Forms, and what they refuse: every field empty, then wrong in some way."""
WRONG_FILTERS = ("/history?size=0", "/history?size=x", "/history?outcome=x&operator=x&from=x&to=x", "/history?after=x",
                 "/history?from=2001-01-02&to=2001-01-01", "/history?q=x", "/audit?action=x&from=x",
                 "/audit?from=1800-01-01", "/nothing-here")  # fmt: skip


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A product with something to say on every page."""
    logs.configure("ERROR")
    instance = tmp_path_factory.mktemp("spoken") / "instance"
    fill(instance)
    app = create_app(read_settings({"YULIANG_INSTANCE": str(instance), "YULIANG_LIMITS": ""}))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def said_by(app: Flask, language: str) -> Iterator[tuple[str, str]]:
    """(page, text) of all that the product says in a language, to those who may hear it."""
    headers = {"Accept-Language": {"zh": "zh-CN", "en": "en"}[language]}
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    plain = [rule.rule for rule in rules if rule.endpoint not in NO_PAGES]
    admin, operator, nobody = Desk(app, ADMIN), Desk(app, OPERATOR), Desk(app, None)
    addresses = [*plain, *(f"/verifications/{number}" for number in CARDS), *WRONG_FILTERS]
    asked: list[tuple[str, Callable[[], TestResponse]]] = [
        ("/login", partial(nobody.get, "/login", headers=headers)),
        ("/verifications/1, in full", partial(operator.get, "/verifications/1", headers=headers)),
        ("/users, not allowed", partial(operator.get, "/users", headers=headers)),
        *((address, partial(admin.get, address, headers=headers)) for address in addresses),
    ]
    for address, tries in REFUSED.items():
        post = partial((nobody if address == "/login" else admin).post, address, headers=headers)
        asked += [(f"{address}, refused ({number})", partial(post, fields)) for number, fields in enumerate(tries)]
    for name, ask in asked:
        for text in Speech(ask().text, language).said:
            yield name, text.strip()


DATA = sorted(
    {LONGEST, "名" * 101, *(person.name for person in PEOPLE), *(scenario.name for scenario in SCENARIOS),
     *NAMES, *(preset.name for preset in PRESETS),
     *(part for place in PLACES.values() for part in place), *search_places.provinces("sandbox"),
     *(text for member in CAST for text in (member.name, member.department) if text)},
    key=len, reverse=True,
)  # fmt: skip
"""Names of people, places, mail hosts and faults, in whatever language: the longest first."""
PROGRAM_TEXT = re.compile(
    r"[\w.+-]+@[\w.-]+|https?://\S+|YULIANG_\w+|(?:GET|POST)[, POST]*(?= /)|/[\w./<>:-]*|[0-9a-f]{32}"
    r"|[A-Z]\d{3}[A-Z]{2}|[0-9A-F]{8}(?:-[0-9A-F]{4,12}){4}|Asia/Shanghai|`[^`]*`|\{.*?\}|\S\*[*·]*|余量(?: Yuliang)?"
)
"""Addresses, names of settings, codes, what a script fills in, masked names, our own: the same in every language."""
SAME_WORDS = re.compile(
    r"\b(?:AES-256-GCM|HMAC-SHA-256|Alt|AppCode|AccessKey|RAM|NTP|HTTP|ID|IP|SQLite|PostgreSQL|CNY|English|JavaScript|YYYY-MM-DD|SSL|TLS|STARTTLS|SMTP|PNG|CSV"
    r"|XLSX|Excel|yuliang|中文|授权码)\b"
)


def left(text: str) -> str:
    """The text without data, program text and the words that are the same in both languages."""
    for name in DATA:
        text = text.replace(name, " ")
    return SAME_WORDS.sub(" ", PROGRAM_TEXT.sub(" ", text))


def test_no_chinese_page_says_an_english_word(used: Flask) -> None:
    values = {setting.default for setting in SETTINGS}
    said = {(page, text) for page, text in said_by(used, "zh") if text not in values}
    assert {(page, text) for page, text in said if re.search(r"[A-Za-z]{2,}", left(text))} == set()


def test_no_english_page_says_a_chinese_word(used: Flask) -> None:
    assert {(page, text) for page, text in said_by(used, "en") if HAN.search(left(text))} == set()
