"""Keys: given, or generated once with mode 0600; whatever is wrong with one is said in a line."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.foundation.keys import Key, load_keys, parse_keys
from webapp.settings import Settings, SettingsError, read_settings

ROOT = Path(__file__).parents[2]
ONE, TWO = base64.b64encode(b"1" * 32).decode(), base64.b64encode(b"2" * 32).decode()
FILES = ("secret_key", "data_keys", "index_keys", "audit_key")


def settings_in(folder: Path, **more: str) -> Settings:
    return read_settings({"YULIANG_INSTANCE": str(folder)} | {f"YULIANG_{name}": text for name, text in more.items()})


def refusal(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        parse_keys("YULIANG_DATA_KEYS", text)
    return raised.value


def test_missing_keys_are_generated_for_this_user_alone(tmp_path: Path) -> None:
    keys = load_keys(settings_in(tmp_path / "new" / "instance"))

    folder = tmp_path / "new" / "instance" / "keys"
    assert sorted(keys.generated) == sorted(folder / name for name in FILES)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(FILES, 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secrets = [keys.data[0].secret, keys.index[0].secret, keys.audit[0].secret, keys.session.encode()]
    assert len(set(secrets)) == 4
    assert all(len(secret) >= 32 for secret in secrets)


def test_generated_keys_are_the_same_at_the_next_start(tmp_path: Path) -> None:
    first, second = load_keys(settings_in(tmp_path)), load_keys(settings_in(tmp_path))

    assert second.generated == ()
    assert (second.session, second.data, second.index, second.audit) == (
        first.session, first.data, first.index, first.audit,
    )  # fmt: skip


def test_given_keys_are_taken_and_nothing_is_written(tmp_path: Path) -> None:
    given = {
        "SECRET_KEY": "s" * 40,
        "DATA_KEYS": f"k2:{TWO}, k1:{ONE}",
        "INDEX_KEYS": f"i:{ONE}",
        "AUDIT_KEY": f"a:{ONE}",
    }

    keys = load_keys(settings_in(tmp_path / "instance", **given))

    assert keys.session == "s" * 40
    assert keys.data == (Key("k2", b"2" * 32), Key("k1", b"1" * 32))
    assert keys.generated == ()
    assert not (tmp_path / "instance").exists()


EIGHT_AT_ONCE = """
import os, sys
from pathlib import Path
from webapp.foundation.keys import load_keys
from webapp.settings import read_settings
settings = read_settings({"YULIANG_INSTANCE": sys.argv[1]})
waits, gate = os.pipe()
children = []
for number in range(8):
    pid = os.fork()
    if not pid:
        os.close(gate)
        os.read(waits, 1)  # ends for all at once, when the parent closes the gate
        keys = load_keys(settings)
        secrets = [keys.session, keys.data[0].secret.hex(), keys.index[0].secret.hex(), keys.audit[0].secret.hex()]
        Path(sys.argv[1] + f".{number}").write_text(" ".join(secrets) + f"\\n{len(keys.generated)}")
        os._exit(0)
    children.append(pid)
os.close(gate)
sys.exit(any(os.waitpid(pid, 0)[1] for pid in children))
"""


def test_eight_processes_that_start_at_once_share_one_set_of_keys(tmp_path: Path) -> None:
    instance = tmp_path / "instance"

    subprocess.run([sys.executable, "-c", EIGHT_AT_ONCE, str(instance)], check=True, cwd=ROOT)

    told = [(tmp_path / f"instance.{number}").read_text().splitlines() for number in range(8)]
    assert len({secrets for secrets, _ in told}) == 1
    assert sum(int(made) for _, made in told) == 4, "each file is told to be new by one process"
    assert sorted(os.listdir(instance / "keys")) == sorted(FILES), "no draft is left"


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", "id:base64"), (ONE, "id:base64"), (f":{ONE}", "id:base64"), (f"{'x' * 17}:{ONE}", "id:base64"),
     (f"钥匙:{ONE}", "id:base64"), (f"k1:{ONE},", "id:base64"), ("k1:", "0 bytes"), ("k1:AAAA", "3 bytes"),
     (f"k1:{base64.b64encode(bytes(33)).decode()}", "33 bytes"), ("k1:not base64!", "not base64"),
     (f"k1:{ONE[:-1]}", "not base64"), ("k1:钥匙", "not base64"), (f"k1:{ONE},k1:{TWO}", "twice")],
)  # fmt: skip
def test_a_wrong_key_is_named_with_its_fault_and_never_shown(text: str, fault: str) -> None:
    error = refusal(text)

    assert error.variable == "YULIANG_DATA_KEYS"
    assert fault in error.fault
    assert ONE[:8] not in str(error)
    assert parse_keys("X", error.example)[0].secret == bytes(32), "the example is a key"


def test_a_key_does_not_show_in_repr(tmp_path: Path) -> None:
    keys = load_keys(settings_in(tmp_path, SECRET_KEY="a-secret-of-mine", DATA_KEYS=f"k1:{ONE}"))

    assert "a-secret-of-mine" not in repr(keys)
    assert "1111" not in repr(keys)
    assert "k1" in repr(keys)


@pytest.mark.parametrize(
    ("where", "said"),
    [("instance", "writable"), ("instance/keys", "writable"), ("instance/keys/data_keys", "no key file")],
)
def test_a_folder_that_cannot_hold_keys_is_said_in_one_line(tmp_path: Path, where: str, said: str) -> None:
    """Something else stands where a folder or file must be; being root does not help over that."""
    in_the_way = tmp_path / where
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.mkdir() if where.endswith("data_keys") else in_the_way.write_text("")

    with pytest.raises(SettingsError, match=said) as raised:
        load_keys(settings_in(tmp_path / "instance"))

    assert raised.value.variable == "YULIANG_INSTANCE"
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_an_empty_or_broken_key_file_stops_the_start(tmp_path: Path, name: str, content: bytes) -> None:
    load_keys(settings_in(tmp_path))
    (tmp_path / "keys" / name).write_bytes(content)

    with pytest.raises(SettingsError) as raised:
        load_keys(settings_in(tmp_path))

    assert raised.value.variable == "YULIANG_INSTANCE"


def test_a_key_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    load_keys(settings_in(tmp_path))
    (tmp_path / "keys" / "index_keys").write_text("k1:AAAA")

    with pytest.raises(SettingsError) as raised:
        load_keys(settings_in(tmp_path))

    assert raised.value.variable == "YULIANG_INSTANCE"
    assert str(tmp_path / "keys" / "index_keys") in raised.value.fault
