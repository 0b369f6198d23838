"""What brings the project up on a fresh machine: the locks, the make targets, the system's packages."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-tools.txt", "requirements-node.txt")


def locked(lock: str) -> dict[str, str]:
    """Package name to pinned version."""
    pins = re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return dict(pins)


def asked_for(lock: str) -> list[Requirement]:
    """What pyproject.toml asks of a lock."""
    pyproject: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = pyproject["project"], pyproject["dependency-groups"]
    extras = project["optional-dependencies"]
    lines = {
        "requirements.txt": project["dependencies"],
        "requirements-dev.txt": project["dependencies"] + extras["dev"] + extras["bench"],
        "requirements-tools.txt": groups["tools"],
        "requirements-node.txt": groups["node"],
    }
    return [Requirement(line) for line in lines[lock]]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_all_that_the_project_asks_for(lock: str) -> None:
    pins = locked(lock)
    stale = [need for need in asked_for(lock) if not need.specifier.contains(pins[canonicalize_name(need.name)])]
    assert stale == [], "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=[\w.-]+==)", (ROOT / lock).read_text())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_folder(lock: str) -> None:
    assert re.findall(r"\w+://\S*|--(?:index|extra|find)\S*", (ROOT / lock).read_text()) == []


def test_the_tests_run_on_the_versions_that_are_served() -> None:
    assert locked("requirements.txt").items() <= locked("requirements-dev.txt").items()


def test_the_npm_lock_names_no_host() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_npm_packages_are_pinned_exactly() -> None:
    versions = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


@pytest.mark.parametrize(
    "target",
    ["run", "test", "test-long", "lint", "types", "bench", "assets", "translations", "screenshots", "lock", "clean"],
)
def test_make_help_explains_every_target(target: str) -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^make {target} +\w", shown, re.MULTILINE)


def test_a_machine_that_lacks_what_the_tests_drive_is_told_each_package_and_fails(tmp_path: Path) -> None:
    script = ROOT / "tests/support/packages.sh"
    told = subprocess.run(
        ["/bin/sh", str(script)], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    for package in ("chromium-headless-shell", "fontconfig", "fonts-noto-cjk"):
        assert re.search(rf"\b{package}\b", told.stderr)
