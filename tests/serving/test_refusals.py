"""What stops a start: one line on standard error that says what is wrong and what to do, and exit code 1."""

from __future__ import annotations

import base64
import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.nursery import Nursery, running_nursery
from tests.support.serve import COMMAND, ROOT
from webapp import cli
from webapp.configuration import kind
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance

Spoil = Callable[[Path], dict[str, str]]
"""Spoils an instance folder; gives the variables of the start."""


@pytest.fixture
def instance(app: Flask, tmp_path: Path) -> Path:
    """A sound instance that has been served before."""
    with app.app_context():
        kind.agree(this_instance(), utc_now())
    return tmp_path / "instance"


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with running_nursery("webapp.cli", __name__) as nursery:
        yield nursery


def start(order: dict[str, Any]) -> int:
    """`yuliang serve` in a process of its own: `environ`, and the file that standard error goes to."""
    with Path(order["said"]).open("w") as said:
        os.dup2(said.fileno(), 2)
    os.environ.clear()
    os.environ.update(order["environ"])
    return cli.main(["serve"])


def refusal(nursery: Nursery, instance: Path, **settings: str) -> str:
    """The one line that the start ends with."""
    given = {"INSTANCE": str(instance), "PORT": "9", "VENDOR_URL": "http://127.0.0.1:9"} | settings
    said = instance.with_name("said")
    nursery.begin(start, environ={f"YULIANG_{name}": value for name, value in given.items()}, said=str(said))
    assert nursery.end() == 1
    (line,) = said.read_text().splitlines()
    assert line.startswith("yuliang: ")
    return line


def file_in_place_of_the_folder(instance: Path) -> dict[str, str]:
    file = instance.with_name("file")
    file.write_text("")
    return {"INSTANCE": str(file)}


def folder_below_a_file(instance: Path) -> dict[str, str]:
    return {"INSTANCE": str(instance / "keys" / "data_keys" / "below")}


def another_key(name: str) -> Spoil:
    def spoil(instance: Path) -> dict[str, str]:
        (instance / "keys" / name).write_text(f"k1:{base64.b64encode(bytes(32)).decode()}\n")
        return {}

    return spoil


def spoiled_key(content: bytes) -> Spoil:
    def spoil(instance: Path) -> dict[str, str]:
        (instance / "keys" / "data_keys").write_bytes(content)
        return {}

    return spoil


def broken_database(instance: Path) -> dict[str, str]:
    (instance / "yuliang.db").write_bytes(b"no database at all" * 1_000)
    return {}


def newer_schema(instance: Path) -> dict[str, str]:
    with sqlite3.connect(instance / "yuliang.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffff'")
    database.close()
    return {}


def setting(**given: str) -> Spoil:
    return lambda _instance: given


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(file_in_place_of_the_folder, ["YULIANG_INSTANCE", "Example:"], id="file-for-folder"),
        pytest.param(folder_below_a_file, ["YULIANG_INSTANCE", "Example:"], id="folder-below-a-file"),
        pytest.param(setting(DATA_KEYS="k1:c2hvcnQ="), ["YULIANG_DATA_KEYS", "32", "Example:"], id="short-key"),
        pytest.param(another_key("data_keys"), ["data_keys", "back"], id="other-data-key"),
        pytest.param(another_key("index_keys"), ["index_keys", "back"], id="other-index-key"),
        pytest.param(spoiled_key(bytes(range(256))), ["keys/data_keys", "backed-up"], id="key-file-of-bytes"),
        pytest.param(spoiled_key(b"garbage"), ["keys/data_keys", "backed-up"], id="key-file-of-garbage"),
        pytest.param(broken_database, ["not a database", "yuliang.db", "copy"], id="broken-database"),
        pytest.param(newer_schema, ["ffff", "Install that version"], id="newer-schema"),
        pytest.param(setting(DATABASE_URL="sqlite:////nowhere/at/all.db"), ["database", "YULIANG_DATABASE_URL"],
                     id="no-database"),
        pytest.param(setting(VENDOR_DEADLINE="soon"), ["YULIANG_VENDOR_DEADLINE", "Example:"], id="wrong-setting"),
    ],
)  # fmt: skip
def test_a_start_that_cannot_be_is_refused_in_one_line(
    nursery: Nursery, instance: Path, spoil: Spoil, says: list[str]
) -> None:
    line = refusal(nursery, instance, **spoil(instance))

    assert [word for word in says if word not in line] == [], line


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_port_that_is_taken_is_named_with_the_way_out(instance: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        environ = {"PATH": os.environ["PATH"], "YULIANG_INSTANCE": str(instance), "YULIANG_PORT": str(port)}
        done = subprocess.run(COMMAND, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"yuliang: 127.0.0.1:{port} cannot be listened on")
    assert "YULIANG_PORT" in line
