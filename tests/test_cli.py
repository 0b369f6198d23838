"""The `yuliang` command: exit 0 done, 1 refused or found wrong (said on standard error in a line), 2 wrong usage."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.accounts.browsing import log_in, stranger
from tests.audit.trails import seal, sql
from tests.conftest import settings_for
from tests.notify.servers import mail_server
from tests.support.cast import ADMIN, CAST, OPERATOR, Desk
from tests.verification.calls import MATCH, ask, buy, somebody
from webapp import cli, create_app, opening
from webapp.accounts.models import User
from webapp.audit.gaps import Gap, pack
from webapp.audit.segments import AuditCheckpoint
from webapp.audit.trail import SYSTEM, Action, AuditRecord, append
from webapp.foundation import leases, schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.retention.models import PurgeRun
from webapp.retention.rules import Kind
from webapp.scheduler import JOBS, run_job
from webapp.watching import logs

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
EMAIL, SOUND = "new@yuliang.test", "correct-horse-7"
KEY = "k1:" + "QUFB" * 10 + "QUE="


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def refused(self) -> str:
        """The one line of a refusal."""
        assert self.code == 1, self
        assert self.err.startswith("yuliang: "), self
        assert len(self.err.splitlines()) == 1, self
        assert "Traceback" not in self.err
        return self.err


Run = Callable[..., Done]


@pytest.fixture
def yuliang(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Run]:
    """Runs the command in this process, in an environment of its own; `given` are variables without their prefix."""
    made: list[Flask] = []

    def remembered(*args: Any, **options: Any) -> Flask:
        made.append(create_app(*args, **options))
        return made[-1]

    def run(*argv: str, stdin: bytes = b"", **given: str) -> Done:
        for name in [name for name in os.environ if name.startswith("YULIANG_")]:
            monkeypatch.delenv(name)
        for name, value in (
            {"INSTANCE": str(tmp_path / "instance"), "VENDOR_URL": "http://127.0.0.1:9"} | given
        ).items():
            monkeypatch.setenv(f"YULIANG_{name}", value)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        try:
            code = cli.main([*argv])
        except SystemExit as end:
            code = int(str(end.code))
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    monkeypatch.setattr(opening, "create_app", remembered)
    umask = os.umask(0o077)
    yield run
    os.umask(umask)
    for app in made:
        opening.let_go(app)
    logs.configure("ERROR")


def users(app: Flask) -> list[tuple[str, str, str, str | None]]:
    with app.app_context():
        found = db.session.scalars(select(User).where(User.id > len(CAST)).order_by(User.id))
        return [(one.email, one.name, one.role, one.department.name if one.department else None) for one in found]


@on_one_database
def test_a_user_is_made_who_can_log_in(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    password = f"{SOUND}\r\nand what follows\n".encode()

    done = yuliang("add-user", f" {EMAIL.upper()} ", "--role", "auditor", "--name", "戊审计", "--department", "监察",
                   "--password-stdin", stdin=password)  # fmt: skip

    assert (done.code, done.err) == (0, "")
    assert SOUND not in done.out
    assert users(app) == [(EMAIL, "戊审计", "auditor", "监察")]
    assert log_in(stranger(app), EMAIL, SOUND).status_code == 303
    with app.app_context():
        query = select(AuditRecord).where(AuditRecord.action == Action.USER_CREATED).order_by(AuditRecord.id.desc())
        record = db.session.scalars(query).first()
        assert record is not None
        assert (record.actor_id, record.actor, record.object_id) == (None, "yuliang", len(CAST) + 1)


@on_one_database
def test_what_makes_no_user_is_said_in_a_line_and_makes_none(yuliang: Run, app: Flask) -> None:
    refused: list[tuple[dict[str, str], bytes, str]] = [
        ({}, b"weak\n", "characters"),
        ({}, b"onlyletters\n", "Mix letters"),
        ({"email": "newcomer@yuliang.test"}, b"newcomer-1\n", "mail address in the password"),
        ({}, b"", "characters"),
        ({}, b"x" * 201, "at most 200"),
        ({}, b"\xff\xfe12345678\n", "UTF-8"),
        ({"email": OPERATOR.email.upper()}, SOUND.encode(), "user already"),
        ({"email": "nobody"}, SOUND.encode(), "mail address"),
        ({"email": "a b@c"}, SOUND.encode(), "mail address"),
        ({"email": "a\x1b@c"}, SOUND.encode(), "EMAIL"),
        ({"email": ""}, SOUND.encode(), "mail address"),
        ({"--name": "x" * 81}, SOUND.encode(), "--name"),
        ({"--name": "a\nb"}, SOUND.encode(), "--name"),
        ({"--department": "乙" * 81}, SOUND.encode(), "--department"),
    ]
    assert yuliang("migrate").code == 0
    for given, password, said in refused:
        options = [part for name, value in given.items() if name != "email" for part in (name, value)]
        done = yuliang("add-user", given.get("email", EMAIL), "--role", "operator", "--password-stdin", *options,
                       stdin=password)  # fmt: skip

        assert said in done.refused(), given
        assert "horse" not in done.err
        assert done.out == ""
    assert users(app) == []


def test_demo_data_fills_an_empty_practice_instance_once_and_the_check_agrees(yuliang: Run) -> None:
    assert yuliang("migrate").code == 0

    done = yuliang("demo-data", "--calls", "300", "--days", "60", "--seed", "5")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("300 verifications from ")
    assert yuliang("check").code == 0
    assert "hold calls or lots already" in yuliang("demo-data").refused()


def test_demo_data_is_refused_on_a_live_instance(yuliang: Run) -> None:
    live = {"VENDOR_URL": "https://vendor.example"}
    assert yuliang("migrate", **live).code == 0

    assert "this instance is live" in yuliang("demo-data", "--calls", "5", **live).refused()


def test_wrong_usage_is_answered_with_the_usage(yuliang: Run) -> None:
    for argv in ((), ("nonsense",), ("add-user",), ("add-user", EMAIL), ("add-user", EMAIL, "--role", "root"),
                 ("add-user", EMAIL, "--role", "ADMIN"), ("migrate", "--force"), ("check", "x"),
                 ("demo-data", "--calls", "0"), ("demo-data", "--calls", "1.5"), ("demo-data", "--days", "-1"),
                 ("demo-data", "--calls", "9" * 30), ("demo-data", "--seed", "x")):  # fmt: skip
        done = yuliang(*argv)

        assert (done.code, done.out) == (2, ""), argv
        assert done.err.startswith("usage: yuliang"), argv


def test_help_names_every_command(yuliang: Run) -> None:
    done = yuliang("--help")

    assert done.code == 0
    for command in ("serve", "migrate", "worker", "sandbox", "add-user", "go-live", "check"):
        assert f"\n    {command} " in done.out
        assert yuliang(command, "--help").code == 0


def test_a_first_migration_makes_keys_and_says_to_back_them_up(yuliang: Run, tmp_path: Path) -> None:
    first = yuliang("migrate")

    assert (first.code, first.err) == (0, "")
    for name in ("secret_key", "data_keys", "index_keys", "audit_key"):
        assert f"New key: {tmp_path / 'instance' / 'keys' / name}. Back it up" in first.out
    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "instance").rglob("*")] == [0] * len(
        [*(tmp_path / "instance").rglob("*")]
    ), "nobody else may read anything there"
    assert yuliang("migrate") == Done(0, "The schema is up to date.\n", "")
    assert yuliang("check").code == 0


@on_one_database
def test_a_migration_of_an_older_database_tells_where_its_copy_lies(yuliang: Run, tmp_path: Path, app: Flask) -> None:
    (tmp_path / "old").mkdir()
    older = create_app(settings_for(tmp_path / "old", None))
    with older.app_context():
        schema.upgrade("0001")
    opening.let_go(older)

    done = yuliang("migrate", INSTANCE=str(tmp_path / "old"))

    (copy,) = (tmp_path / "old" / "backups").iterdir()
    assert done.code == 0
    assert f"a copy from before lies in {copy}" in done.out


def test_a_database_that_was_never_migrated_is_named_as_such(yuliang: Run, tmp_path: Path) -> None:
    for command in (("check",), ("go-live",), ("worker",), ("add-user", EMAIL, "--role", "admin", "--password-stdin")):
        assert "yuliang migrate" in yuliang(*command).refused(), command
    assert not (tmp_path / "instance" / "keys").exists(), "and no key is made for it"


@on_one_database
def test_an_older_and_a_newer_schema_are_refused(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    for revision, said in (("0001", "behind: run `yuliang migrate`"), ("9999", "newer Yuliang")):
        with app.app_context(), db.engine.connect() as connection:
            connection.execution_options(writes=True)
            connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
            connection.commit()

        assert said in yuliang("check").refused()
    assert "newer Yuliang" in yuliang("migrate").refused()


@pytest.mark.parametrize(
    ("given", "said"),
    [({"PORT": "eight"}, "YULIANG_PORT: must be"), ({"DATA_KEYS": "k1:AAAA"}, "YULIANG_DATA_KEYS: key k1 has 3 bytes"),
     ({"DATABASE_URL": "mysql://u:pss@h/d"}, "YULIANG_DATABASE_URL: must"),
     ({"DATABASE_URL": "postgresql+psycopg://u:pss-word@127.0.0.1:1/y"}, "database cannot be used"),
     ({"DATABASE_URL": "postgresql+psycopg://u:pss-word@[/y"}, "database cannot be used"),
     ({"DATABASE_URL": "postgresql+psycopg://u:pss@h:xx/y"}, "YULIANG_DATABASE_URL: is no database address"),
     ({"DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "database cannot be used"),
     ({"INSTANCE": __file__ + "/below"}, "YULIANG_INSTANCE: cannot be made"),
     ({"APPCODE_FILE": "/nowhere"}, "YULIANG_APPCODE_FILE: cannot be read")],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named_in_a_line(yuliang: Run, given: dict[str, str], said: str) -> None:
    done = yuliang("migrate", **given)

    assert said in done.refused()
    assert "pss" not in done.err


@on_one_database
def test_other_keys_than_the_databases_own_are_refused(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0

    assert "YULIANG_DATA_KEYS" in yuliang("check", DATA_KEYS=KEY).refused()
    assert "YULIANG_INDEX_KEYS" in yuliang("check", INDEX_KEYS=KEY).refused()
    for command in ("check", "health", "verify-audit", "migrate", "worker"):
        assert "audit key k1 in YULIANG_AUDIT_KEY" in yuliang(command, AUDIT_KEY=KEY).refused()


@on_one_database
def test_a_key_that_is_missing_beside_a_database_is_never_made_anew(yuliang: Run, tmp_path: Path, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    (tmp_path / "instance" / "keys" / "data_keys").unlink()

    for command in ("migrate", "check"):
        assert "data_keys" in yuliang(command).refused()
    assert not (tmp_path / "instance" / "keys" / "data_keys").exists()


@on_one_database
def test_check_finds_nothing_or_names_each_difference(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    Desk(app, ADMIN).record_lot(100)
    assert yuliang("check", LOCALE="en") == Done(0, "Lots, ledger, verifications and counters agree.\n", "")
    assert yuliang("check") == Done(0, "套餐包、台账、核验与统计一致。\n", "")
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(writes=True)
        connection.execute(text("UPDATE lot SET available = 99"))
        connection.commit()

    done, chinese = yuliang("check", LOCALE="en"), yuliang("check", LOCALE="zh_CN")

    assert (done.code, done.out) == (1, "1 difference.\n")
    assert done.err == "lot 1 available: stored 99, recounted 100\n"
    assert (chinese.code, chinese.err) == (1, "套餐包 1 余量：实存 99，按台账重算为 100\n")


@on_one_database
def test_going_live_is_one_command_after_the_address_is_set(yuliang: Run, app: Flask) -> None:
    live = {"VENDOR_URL": "https://vendor.example"}
    assert yuliang("migrate").code == 0
    Desk(app, ADMIN).record_lot(100)

    assert "VENDOR_URL" in yuliang("go-live", VENDOR_URL="sandbox").refused()
    assert "go-live" in yuliang("migrate", **live).refused()
    assert yuliang("go-live", **live).code == 0
    assert "already" in yuliang("go-live", **live).refused()
    assert yuliang("check", **live).code == 0
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM lot")) == 0
        assert db.session.scalar(text("SELECT count(*) FROM app_user")) == len(CAST)


@on_one_database
def test_a_test_mail_shows_what_the_server_says_and_by_its_exit_code_whether_it_was_taken(
    yuliang: Run, app: Flask
) -> None:
    assert yuliang("migrate").code == 0
    with mail_server() as inbox:
        given = {"SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "yuliang@here.test"}
        taken = yuliang("send-test-mail", EMAIL, **given)
        inbox.answer = lambda _address: "550 5.7.1 not from you"
        refused = yuliang("send-test-mail", EMAIL, **given)
        wrong = yuliang("send-test-mail", "nobody", **given)
    dead = yuliang("send-test-mail", EMAIL, **given)

    assert (taken.code, taken.out) == (0, "The server took the mail: 250 OK queued as 1\n")
    assert [mail["Subject"] for mail in inbox.to(EMAIL)] == ["[Yuliang] Test mail"]
    assert (refused.code, refused.out) == (1, "")
    assert "The mail was not taken (recipient): 550 5.7.1 not from you\n" in refused.err, "beside the server's own log"
    assert (wrong.code, "must be a mail address" in wrong.err) == (1, True)
    assert (dead.code, dead.out) == (1, "")
    assert "The mail was not taken (connecting): the connection was refused: no mail server listens" in dead.err
    assert "YULIANG_SMTP_URL" in yuliang("send-test-mail", EMAIL).refused()


@on_one_database
def test_health_names_every_fault_and_by_its_exit_code_whether_there_is_one(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    given = {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "yuliang@here.test", "PUBLIC_URL": "https://yuliang.test"}
    seal(app)  # the cast was hired when the tests began

    ill = yuliang("health")
    Desk(app, ADMIN).post("/reminders/recipients/me")
    for job in JOBS:
        run_job(app, job, "host:1:a")
    well = yuliang("health", **given)

    assert (ill.code, ill.out) == (1, "3 faults.\n")
    assert [line.partition(":")[0] for line in ill.err.splitlines()] == [
        "No worker is running", "No mail server is set",
        "Nobody is on the list of recipients, or nobody there has confirmed.",
    ]  # fmt: skip
    assert (well.code, well.out, well.err) == (
        0,
        "Reminders are watched, and their mails arrive; the audit trail is sealed.\n",
        "",
    )


@on_one_database
def test_health_names_keys_unsealed_records_what_was_left_and_overdue_purges(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    Desk(app, ADMIN).record_lot(100)
    seal(app)
    ago = utc_now() - timedelta(days=3)
    gap = Gap(2, 4, 5, 17, b"b" * 32, b"a" * 32)
    checkpoint = AuditCheckpoint(number=4, last_id=17, records=9, dropped_at=ago, key_id="k1", head=b"h" * 32,
                                 left_out=pack([gap]), seal=b"s" * 32)  # fmt: skip
    with app.app_context():
        leases.tell_lacking("host-2", "data key k7", utc_now())
        with transaction() as session:
            append(SYSTEM, Action.LOGIN, ago)
            session.add(checkpoint)
            for kind in Kind:  # facts are kept for ever: nobody waits for their purge
                session.add(PurgeRun(kind=kind, started_at=ago, before=ago, finished_at=ago))

    told = yuliang("health", LOCALE="en")

    assert told.code == 1
    lines = [line for line in told.err.splitlines() if not line.startswith(("No worker", "No mail", "Nobody"))]
    assert lines == [
        "The machine host-2 lacks a key, and answers nothing: data key k7.",
        f"Records of the audit trail since {ago:%Y-%m-%d %H:%M:%S} UTC are not sealed: is a worker running?",
        "Old segments of the audit trail stayed, for they are not as sealed: 2–4. yuliang verify-audit says why.",
        *(f"The purge is overdue: {what}. Is a worker running?"
          for what in ("People", "Messages", "Saved views", "Audit trail")),
    ]  # fmt: skip
    assert told.out == f"{len(told.err.splitlines())} faults.\n"


@on_one_database
def test_verify_audit_names_each_fault_and_misses_an_end_that_was_cut_off(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    assert yuliang("verify-audit").out.startswith("0 records in 0 segments"), "nothing is sealed yet"
    seal(app)
    sound = yuliang("verify-audit")
    head = sound.out.split("Head: ")[1][:64]
    kept = yuliang("verify-audit", "--expect-head", f" {head.upper()} ")
    sql(app, "UPDATE audit_record SET actor = 'x' WHERE id = 2")
    changed = yuliang("verify-audit")
    sql(app, "DELETE FROM audit_segment")
    cut = yuliang("verify-audit", "--expect-head", head)

    assert (sound.code, sound.err) == (0, "")
    assert sound.out.startswith("4 records in 1 segments were compared with their seals.\n")
    assert sound.out.endswith("Nothing was changed, removed, inserted or reordered.\n")
    assert (kept.code, kept.out) == (0, sound.out)
    assert (changed.code, changed.err) == (1, "Record 2 was changed.\n")
    assert changed.out.endswith("1 faults.\n")
    assert (cut.code, f"The head {head} is not in the chain" in cut.err) == (1, True)
    assert "64 hexadecimal digits" in yuliang("verify-audit", "--expect-head", "5f0c").refused()


@on_one_database
def test_purge_destroys_what_is_old_at_once_and_says_what_it_came_to(yuliang: Run, app: Flask) -> None:
    assert yuliang("migrate").code == 0
    buy(app, 10)
    for n in range(3):
        ask(app, somebody(n), lambda *_asked: MATCH, clock=lambda: utc_now() - timedelta(days=1200))

    purged, again, checked = yuliang("purge"), yuliang("purge"), yuliang("check")

    assert (purged.code, purged.err) == (0, "")
    assert purged.out.startswith("3 identities from before ")
    assert again.out.startswith("0 identities from before ")
    assert "facts of verifications" not in purged.out, "they are kept for ever"
    assert checked.code == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_installed_command_does_the_same_in_a_process_of_its_own(app: Flask, database: str, tmp_path: Path) -> None:
    with app.app_context():
        from webapp.configuration import kind
        from webapp.foundation.instance import this_instance

        kind.agree(this_instance(), utc_now())
    environ = {"PATH": os.environ["PATH"], "YULIANG_INSTANCE": str(tmp_path / "instance"),
               "YULIANG_DATABASE_URL": database, "YULIANG_VENDOR_URL": "http://127.0.0.1:9"}  # fmt: skip
    command = [
        str(Path(sys.executable).with_name("yuliang")),
        "add-user",
        EMAIL,
        "--role",
        "operator",
        "--password-stdin",
    ]

    done = subprocess.run(command, env=environ, input=SOUND, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{EMAIL} can log in as operator.\n", "")
    assert users(app) == [(EMAIL, "new", "operator", None)]


@on_one_database
def test_a_migration_records_nothing_under_a_wrong_audit_key(yuliang: Run, app: Flask) -> None:
    seal(app)
    sql(app, "UPDATE alembic_version SET version_num = '0025'")

    assert "YULIANG_AUDIT_KEY" in yuliang("migrate", AUDIT_KEY=KEY).refused()

    with app.app_context():
        assert schema.state() == "behind"
        assert (
            db.session.scalars(select(AuditRecord.id).where(AuditRecord.action == Action.SCHEMA_MIGRATED)).all() == []
        )
