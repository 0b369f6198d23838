"""README and docs say what is there: every setting, command, page, folder and target, and nothing that is not."""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask

from docs.screenshots import KEPT
from webapp.cli import _parser
from webapp.settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))


def section(heading: str) -> str:
    """README's text under a heading."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def first_cells(table: str) -> list[str]:
    """What stands in the first column of a Markdown table, without its head."""
    return [row.split("|")[1].strip() for row in table.splitlines() if row.startswith("|")][2:]


def commands() -> dict[str, argparse.ArgumentParser]:
    """The command line's commands, by name."""
    [action] = [one for one in _parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(action.choices)


def ours() -> Iterator[Path]:
    """Every file of the project, committed or about to be; not what set-up and builds leave behind."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()] + [".git"]

    def kept(name: str) -> bool:
        return not any(fnmatch.fnmatch(name, pattern) or pattern.endswith(f"/{name}") for pattern in ignored)

    for folder, folders, names in os.walk(ROOT):
        folders[:] = filter(kept, folders)
        yield from (Path(folder) / name for name in names if kept(name))


def texts() -> Iterator[tuple[str, str]]:
    """Path and content of every file of ours that is text."""
    for path in ours():
        content = path.read_bytes()
        if b"\0" not in content:
            yield str(path.relative_to(ROOT)), content.decode("utf-8")


def test_every_setting_stands_in_the_readme_with_its_default_and_meaning() -> None:
    block = README.split("<!-- settings")[1].split("<!-- /settings -->")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in block.splitlines() if row.startswith("|")][2:]
    assert rows == [
        [f"`{one.name}`", f"`{one.default}`" if one.default else "–", one.meaning + " (secret)" * one.secret]
        for one in SETTINGS
    ]


def test_every_command_stands_in_the_readme_and_no_other() -> None:
    named = [re.findall(r"`([\w-]+)", cell)[0] for cell in first_cells(section("Commands"))]
    assert sorted(named) == sorted(commands())


@pytest.mark.parametrize("command", commands())
def test_every_option_of_a_command_stands_in_the_readme(command: str) -> None:
    [cell] = [cell for cell in first_cells(section("Commands")) if re.match(rf"`{command}\b(?!-)", cell)]
    options = {name for action in commands()[command]._actions for name in action.option_strings if name[:2] == "--"}
    assert set(re.findall(r"--[\w-]+", cell)) == options - {"--help"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_page_stands_in_the_readme_and_no_other(app: Flask) -> None:
    rules = {re.sub(r"<\w+:", "<", rule.rule) for rule in app.url_map.iter_rules() if rule.endpoint != "static"}
    named = {page for cell in first_cells(section("Pages")) for page in re.findall(r"`([^`]+)`", cell)}
    assert named == rules


def test_every_folder_and_module_stands_on_the_readme_s_map_and_no_other() -> None:
    tree = section("The house").split("```")[1]
    drawn = set(re.findall(r"^  (\S+)", tree, re.MULTILINE))
    there = {f"{path.name}/" for path in (ROOT / "webapp").iterdir() if path.is_dir() and any(path.rglob("*.p[yo]"))}
    there |= {path.name for path in (ROOT / "webapp").glob("*.py")}
    assert drawn == there
    tops = set(re.findall(r"(\w+)/", "\n".join(line for line in tree.splitlines() if not line.startswith(" "))))
    assert all((ROOT / folder).is_dir() for folder in tops)
    assert tops >= {"webapp", "templates", "static", "assets", "migrations", "tests", "docs", "benchmarks"}


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    explained = set(re.findall(r"^make (\S+)", shown, re.MULTILINE))
    assert targets - explained == {"test-packages"}, "only what other targets call goes without"


def test_every_make_target_in_the_docs_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {name for path in PROSE for name in re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8"))}
    assert named <= targets


def test_every_command_in_the_docs_exists() -> None:
    named = {
        name for path in PROSE for name in re.findall(r"\byuliang ([a-z][\w-]+)`", path.read_text(encoding="utf-8"))
    }
    assert named <= set(commands())


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.name)
def test_every_link_leads_to_something(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _hash, anchor = target.partition("#")
        if re.match(r"\w+:", target):
            continue
        found = page if not path else (page.parent / unquote(path))
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown reader makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_pictures_are_those_that_the_script_takes() -> None:
    there = {path.name for path in (ROOT / "docs/images").iterdir()}
    assert there == {f"{'-'.join(picture)}.png" for picture in KEPT}
    shown = {name for path in PROSE for name in re.findall(r"images/([^)\s]+)", path.read_text(encoding="utf-8"))}
    assert shown <= there


def test_the_changelog_tells_of_the_present_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[0]
    assert newest == version


REGISTRIES = ("pypi.", "pythonhosted.", "npmjs.", "yarnpkg.", "npmmirror.", "crates.", "rubygems.", "proxy.golang.")
PEOPLE_S_FOLDERS = ("root", "home", "work", "tmp", "Users")
LEFT_OVER = ("TO" + "DO", "FIX" + "ME", "X" * 3)


def test_no_file_names_the_host_of_a_package_registry() -> None:
    host = re.compile(rf"\b(?:{'|'.join(map(re.escape, REGISTRIES))})(?:org|com|io|net|cn)\b")
    assert [(path, host.findall(text)) for path, text in texts() if host.search(text)] == []


def test_no_file_names_a_path_of_somebody_s_machine() -> None:
    folder = re.compile(rf"(?<![\w.>)}}])/(?:{'|'.join(PEOPLE_S_FOLDERS)})/[\w.-]+")
    assert [(path, folder.findall(text)) for path, text in texts() if folder.search(text)] == []


def test_nothing_is_left_to_do_in_a_comment() -> None:
    mark = re.compile(rf"\b(?:{'|'.join(LEFT_OVER)})\b")
    assert [(path, mark.findall(text)) for path, text in texts() if mark.search(text)] == []
