"""What `make assets` leaves in static/dist: fit for the oldest browser we serve and for a strict CSP.

The oldest is Chromium 109, the last on Windows 7 and the base of many office browsers.
"""

import gzip
import json
import re
from pathlib import Path

import brotli
import pytest

DIST = Path(__file__).parents[2] / "static" / "dist"
SCRIPTS = ("app.js", "charts.js", "desk.js", "reveal.js")
BUNDLES = ("app.css", *SCRIPTS)
STYLES = ("app.css",)

NEWER_CSS = {
    "color-mix()": r"color-mix\(",
    "light-dark()": r"light-dark\(",
    "lab and lch colours": r"\b(?:ok)?l(?:ab|ch)\(",
    "relative colours": r"\b(?:rgba?|hsla?|hwb)\(\s*from\b",
    "linear() easing": r"[:,\s]linear\(",
    "mathematics": r"[:,(\s](?:round|mod|rem|abs|sign|pow|sqrt|sin|cos|tan)\(",
    "anchors": r"\banchor(?:-size)?\(",
    "selectors": r":(?:dir\(|user-(?:in)?valid|popover-open|state\(|open\b|target-current)",
    "at-rules": r"@(?:scope|starting-style|view-transition|position-try|function)",
    "style queries": r"@container[^{]*style\(",
}

NEWER_JS = {
    "copies of arrays": r"\.to(?:Sorted|Reversed|Spliced)\(",
    "grouping": r"\b(?:Object|Map)\.groupBy\b",
    "asynchronous arrays": r"\bArray\.fromAsync\b",
    "promise helpers": r"\bPromise\.(?:withResolvers|try)\b",
    "set algebra": r"\.(?:isSubsetOf|isSupersetOf|isDisjointFrom|symmetricDifference)\(",
    "URL parsing without exceptions": r"\bURL\.(?:canParse|parse)\b",
    "view transitions": r"\bstartViewTransition\b",
    "popovers": r"\b(?:show|hide|toggle)Popover\b",
    "scheduler": r"\bscheduler\.(?:yield|postTask)\b",
}

NAMES_NOT_LOADED = re.compile(r"http://www\.w3\.org/|https://popper\.js\.org")
"""XML namespaces, and the manual's address in an error text."""


def built_name(bundle: str) -> str:
    names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return names[bundle]


def built_text(bundle: str) -> str:
    return (DIST / built_name(bundle)).read_text(encoding="utf-8")


def test_every_bundle_is_looked_at() -> None:
    assert set(json.loads((DIST / "manifest.json").read_text())) == set(BUNDLES)


def without_strings(css: str) -> str:
    """The style sheet with the content of its strings, data: URLs and comments blanked."""
    return re.sub(r'"[^"]*"|\'[^\']*\'|url\([^)]*\)|/\*.*?\*/', '""', css, flags=re.DOTALL)


def nested_rules(css: str) -> list[str]:
    """The preludes of style rules that stand inside another style rule."""
    inside: list[str] = []
    found: list[str] = []
    for prelude, brace in re.findall(r"([^{};]*)([{};])", without_strings(css)):
        if brace == "{":
            if any(not outer.startswith("@") for outer in inside):
                found.append(prelude)
            inside.append(prelude.strip())
        elif brace == "}":
            inside.pop()
    return found


def test_a_nested_rule_would_be_found() -> None:
    assert nested_rules("@media print{a{b:c}}.x{color:red;& b{c:d}}") == ["& b"]


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_bundle_is_named_by_its_content(bundle: str) -> None:
    stem, suffix = bundle.split(".")
    assert re.fullmatch(rf"{stem}-[A-Z0-9]{{8}}\.{suffix}", built_name(bundle))


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_compressed_copies_hold_the_same(bundle: str) -> None:
    file = DIST / built_name(bundle)
    assert gzip.decompress(Path(f"{file}.gz").read_bytes()) == file.read_bytes()
    assert brotli.decompress(Path(f"{file}.br").read_bytes()) == file.read_bytes()


@pytest.mark.parametrize("bundle", STYLES)
def test_no_style_rule_is_nested(bundle: str) -> None:
    assert nested_rules(built_text(bundle)) == []


@pytest.mark.parametrize("feature", NEWER_CSS)
@pytest.mark.parametrize("bundle", STYLES)
def test_no_style_needs_a_browser_after_chromium_109(bundle: str, feature: str) -> None:
    assert re.findall(NEWER_CSS[feature], without_strings(built_text(bundle))) == []


@pytest.mark.parametrize("feature", NEWER_JS)
@pytest.mark.parametrize("bundle", SCRIPTS)
def test_no_script_needs_a_browser_after_chromium_109(bundle: str, feature: str) -> None:
    assert re.findall(NEWER_JS[feature], built_text(bundle)) == []


@pytest.mark.parametrize("bundle", STYLES)
def test_a_style_sheet_loads_nothing_from_elsewhere(bundle: str) -> None:
    addresses = re.findall(r"(?:@import|url\()[\s\"']*([^\"')]*)", built_text(bundle))
    assert [address for address in addresses if not address.startswith("data:")] == []


@pytest.mark.parametrize("bundle", SCRIPTS)
def test_a_script_names_no_other_host(bundle: str) -> None:
    named = re.findall(r"(?:https?|wss?)://[^\"'`\s)]*", built_text(bundle))
    assert [address for address in named if not NAMES_NOT_LOADED.match(address)] == []


@pytest.mark.parametrize("bundle", SCRIPTS)
def test_no_script_makes_code_from_text(bundle: str) -> None:
    assert re.findall(r"(?<![\w.$])(?:eval|Function)\(|\bnew Function\b", built_text(bundle)) == []


def test_the_licence_of_every_bundled_package_is_served_with_it() -> None:
    licences = (DIST / "licences.txt").read_text(encoding="utf-8")
    for package in ("@tabler/core", "echarts", "zrender"):
        assert re.search(rf"^{package} \d[\d.]* \(", licences, re.MULTILINE)
    assert "Apache License" in licences
