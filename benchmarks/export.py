"""The history as CSV, opened row by row, beside a writer of the same columns that were never sealed."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Column, Engine, MetaData, Row, String, Table, select, text

from benchmarks import stopwatch
from benchmarks.report import Report, median
from tests.support.cast import ADMIN, hire
from tests.support.postgres import running_server
from webapp import create_app
from webapp.accounts.models import Department, User
from webapp.audit.trail import Who
from webapp.demo import loading
from webapp.demo import operations as demo
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import RowId, db, end_read
from webapp.foundation.instance import this_instance
from webapp.history import export_streaming
from webapp.history.export_files import FileFormat, file_of
from webapp.history.export_rows import Set, heading, wording
from webapp.history.filters import Filters
from webapp.opening import let_go
from webapp.persons.masking import mask_name, mask_number
from webapp.settings import read_settings
from webapp.vendor.texts import CAUSES
from webapp.verification import identities
from webapp.verification.models import Identity, Purpose, Verification
from webapp.verification.texts import CHARGED, OUTCOMES, SOURCES
from webapp.watching import logs

ROWS = 1_000_000
DAYS, TURNS, BATCH = 365, 3, 5000
PLAIN = Table(
    "bench_identity", MetaData(), Column("verification_id", RowId, primary_key=True, autoincrement=False),
    Column("name", String), Column("number", String),
)  # fmt: skip
"""The identities as whoever seals nothing would keep them."""
V, U, D, P = (model.__table__ for model in (Verification, User, Department, Purpose))
JOINED = (
    select(V.c.id, V.c.created_at, V.c.outcome, V.c.billed, V.c.cause, P.c.name_zh, U.c.name, D.c.name, V.c.source,
           V.c.request_id, PLAIN.c.name, PLAIN.c.number)
    .join_from(V, PLAIN, PLAIN.c.verification_id == V.c.id).join(U, U.c.id == V.c.operator_id)
    .join(P, P.c.id == V.c.purpose_id).outerjoin(D, D.c.id == V.c.department_id)
    .order_by(V.c.created_at.desc(), V.c.id.desc())
)  # fmt: skip
"""All that stands in the file, by one statement."""


def run(report: Report, sizes: Sequence[int] = (ROWS,)) -> None:
    """Measures on both databases, of the first size."""
    rows = sizes[0]
    logs.configure("ERROR")
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        for name, url in (("SQLite", ""), ("PostgreSQL", server.create_database())):
            app = instance(Path(folder) / name, url)
            with app.test_request_context():
                demo.fill(rows, DAYS, 1, this_instance(), utc_now())
                fill_plain()
                measure(report, name, rows)
                end_read()
            let_go(app)


def instance(folder: Path, url: str) -> Flask:
    """A new instance with the cast, on SQLite where `url` is empty."""
    environ = {"YULIANG_INSTANCE": str(folder), "YULIANG_LIMITS": "", "YULIANG_APPCODE": "bench"}
    app = create_app(read_settings(environ | ({"YULIANG_DATABASE_URL": url} if url else {})))
    with app.app_context():
        schema.migrate(utc_now())
        hire()
        db.session.remove()
    return app


def measure(report: Report, name: str, rows: int) -> None:
    """All but the way there: what the page sends, without the page. Needs `fill_plain` and a request's context."""
    report.title(f"Export of {rows:,} verifications as CSV, on {name}")
    sealed: list[float] = []
    plain: list[float] = []
    first: list[float] = []
    stopwatch.look_for_children()
    for _turn in range(TURNS):  # in turns, so that a busy machine is busy for both
        plain.append(_drain(_plain_csv)[0])
        seconds, begun = _drain(_sealed_csv)
        sealed.append(seconds)
        first.append(begun * 1000)
    report.line("rows a second, opened and masked", rows / median(sealed), "/s")
    report.line("… times the plaintext writer's", median(plain) / median(sealed), "×", least=0.8)
    report.line("first byte", median(first), " ms", most=100)
    report.line("share of opening", opening(rows) / median(sealed) * 100, " %", most=20)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is from now on
    base = _memory("VmRSS")
    _drain(_sealed_csv)
    report.line("peak memory above what was in use", _memory("VmHWM") - base, " MB", most=32)


def _drain(pieces: Callable[[], Iterator[bytes]]) -> tuple[float, float]:
    """Seconds until the last byte and until the first."""
    begun = stopwatch.seconds()
    source = pieces()
    next(source)
    first = stopwatch.seconds() - begun
    for _piece in source:
        pass
    return stopwatch.seconds() - begun, first


def _sealed_csv() -> Iterator[bytes]:
    """As the page streams it."""
    writer, here = file_of(FileFormat.CSV), this_instance()
    asked = Set(Filters(), ADMIN.id, here, utc_now())
    words = wording(writer.cell, here, plain=False, locale="zh_CN")
    columns = heading(plain=False, zone=here.settings.zone)
    return export_streaming.stream(asked, words, writer, columns, Who(ADMIN.id, ADMIN.name))


def _plain_csv() -> Iterator[bytes]:
    """What one would write who seals nothing: one statement, a server-side cursor, words for codes, the csv module."""
    zone, buffer = this_instance().settings.zone, io.StringIO(newline="")
    writer = csv.writer(buffer)
    outcomes = {key: str(text.label) for key, text in OUTCOMES.items()}
    charged, sources = ({key: str(text) for key, text in some.items()} for some in (CHARGED, SOURCES))
    causes = {None: ""} | {key: str(text) for key, text in CAUSES.items()}

    def words(row: Row[*tuple[Any, ...]]) -> list[object]:
        number, at, outcome, billed, cause, purpose, operator, department, source, *rest = row
        when = at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        return [number, when, outcomes[outcome], charged[billed], causes[cause], purpose, operator, department or "",
                sources[source], *rest]  # fmt: skip

    with db.engine.connect() as connection:
        for some in connection.execution_options(yield_per=BATCH).execute(JOINED).partitions():
            writer.writerows(map(words, some))
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()


def fill_plain() -> None:
    """Writes all identities once more, in the clear."""
    sealer, engine = this_instance().sealer, db.engine
    with engine.connect() as reading, engine.connect() as writing:
        writing.execution_options(writes=True)
        PLAIN.create(writing)
        everyone = select(Identity.verification_id, Identity.sealed)
        for some in reading.execution_options(yield_per=BATCH).execute(everyone).partitions():
            people = identities.names_and_numbers(some, sealer)
            loading.put(writing, PLAIN, [(row[0], *person) for row, person in zip(some, people, strict=True)])
        writing.commit()
    settle(engine)


def settle(engine: Engine) -> None:
    """What a database in use has long done: statistics, and pages where they belong."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


def opening(rows: int) -> float:
    """Seconds that opening and masking all people takes by itself."""
    sealer, some = this_instance().sealer, db.session.execute(
        select(Identity.verification_id, Identity.sealed).limit(20_000)
    ).all()  # fmt: skip
    times = []
    for _turn in range(TURNS):
        begun = stopwatch.seconds()
        for name, id_number in identities.names_and_numbers(some, sealer):
            mask_name(name)
            mask_number(id_number)
        times.append(stopwatch.seconds() - begun)
    return median(times) / len(some) * rows


def _memory(name: str) -> float:
    """Of this process, in MB of 2^20: `VmRSS`, in use, or `VmHWM`, the most that was."""
    return int(Path("/proc/self/status").read_text().split(f"{name}:")[1].split()[0]) / 1024
