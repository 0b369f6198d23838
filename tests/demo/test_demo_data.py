"""`demo-data`: what it stores is what the product itself would have written, all of it or nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, inspect, select, text

from tests.conftest import settings_for
from tests.support.cast import ADMIN, OPERATOR, Desk, card_of, hire
from tests.verification.calls import differences, outside
from webapp import create_app
from webapp.accounts import operations as accounts
from webapp.accounts import passwords
from webapp.accounts.models import Role, User
from webapp.accounts.operations import Profile
from webapp.audit.trail import SYSTEM, Action, AuditRecord
from webapp.audit.verifier import verify
from webapp.demo import CannotFill, apart, loading
from webapp.demo.operations import fill
from webapp.foundation import schema
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import Base, db, transaction
from webapp.foundation.instance import be, this_instance
from webapp.notify.notices import Notice
from webapp.quota import queries as quota
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.usage.models import LatencyHour, UsageDay, UsageHour
from webapp.vendor.contract import Billed, Outcome
from webapp.vendor.sandbox import people
from webapp.verification import identities
from webapp.verification.models import Identity, IdentityIndex, Settlement, Verification

NOW = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
"""A Tuesday afternoon in the reporting zone."""
CALLS, DAYS = 4_000, 150


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A product with a made-up year in it."""
    folder, server, url = tmp_path_factory.mktemp("demo"), None, None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = server.create_database()
    app = create_app(settings_for(folder, url))
    with app.app_context():
        schema.migrate(utc_now())
        hire()
        app.extensions["indexes before"] = indexes()
        fill(CALLS, DAYS, 7, this_instance(), NOW)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["vendor"].close()
    if server and url:
        server.drop_database(url)


@pytest.fixture
def year(filled: Flask) -> Iterator[Flask]:
    """The same, in its context."""
    with filled.app_context():
        yield filled
        db.session.remove()


def count(model: Any, *where: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def test_it_makes_as_many_calls_as_were_asked_for_in_as_many_days(year: Flask) -> None:
    first, last = db.session.execute(select(func.min(Verification.created_at), func.max(Verification.created_at))).one()
    zone = this_instance().settings.zone

    assert count(Verification) == count(Identity) == CALLS
    assert NOW - timedelta(days=DAYS) < first < NOW - timedelta(days=DAYS - 5)
    assert day_of(last, zone) == day_of(NOW, zone)
    assert count(Verification, Verification.finished_at >= NOW) == 0


def test_the_check_finds_nothing(filled: Flask) -> None:
    assert differences(filled, now=NOW) == []


def test_every_reference_leads_somewhere(year: Flask) -> None:
    """They were not looked at while the rows were stored."""
    if db.engine.dialect.name == "sqlite":
        assert db.session.execute(text("PRAGMA foreign_key_check")).all() == []
        assert db.session.scalar(text("PRAGMA integrity_check")) == "ok"
    identity = Identity.verification_id
    for key, parent in (
        (Verification.operator_id, User.id), (Verification.lot_id, Lot.id), (identity, Verification.id),
        (LedgerEntry.verification_id, Verification.id), (IdentityIndex.verification_id, identity),
        (AuditRecord.actor_id, User.id),
    ):  # fmt: skip
        assert count(key.class_, key.is_not(None), key.not_in(select(parent))) == 0, key


def test_the_ledger_runs_from_entry_to_entry_in_the_order_of_time(year: Flask) -> None:
    entries = db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.lot_id, LedgerEntry.id)).all()

    assert len(db.session.scalars(select(Lot.id)).all()) >= 3
    for lot, moved in groupby(entries, key=lambda entry: entry.lot_id):
        left, at = 0, datetime(2000, 1, 1, tzinfo=UTC)
        for entry in moved:
            left += entry.change
            assert (entry.available_after, entry.at >= at) == (left, True), entry.id
            at = entry.at
        assert lot is not None, "enough was bought: nothing is uncovered"
    assert {EntryKind.PURCHASE, EntryKind.USED_BEFORE, EntryKind.HOLD, EntryKind.CHARGE, EntryKind.RELEASE,
            EntryKind.LAPSE} == {entry.kind for entry in entries}  # fmt: skip


def test_each_call_was_drawn_from_the_lot_that_expired_first_of_those_with_calls_left(year: Flask) -> None:
    lots = {lot.id: lot for lot in db.session.scalars(select(Lot))}
    available: Counter[int] = Counter()
    zone = this_instance().settings.zone
    for entry in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)):
        if entry.kind == EntryKind.HOLD:
            today = day_of(entry.at, zone)
            valid = [lot for lot in lots.values() if lot.bought_on <= today <= lot.expires_on and available[lot.id]]
            assert entry.lot_id == min(valid, key=lambda lot: (lot.expires_on, lot.bought_on, lot.id)).id
        available[entry.lot_id or 0] += entry.change


def test_every_person_opens_is_found_and_is_nobody(year: Flask) -> None:
    sealer = this_instance().sealer
    ids = db.session.scalars(select(Verification.id)).all()
    opened = identities.open_people(ids, sealer)
    stored: dict[int, set[tuple[str, bytes]]] = {number: set() for number in ids}
    for row in db.session.scalars(select(IdentityIndex)):
        stored[row.verification_id].add((row.kind, row.blind))

    for number, person in opened.items():
        expected = {(kind.value, sealer.index(kind, value)) for kind, value in identities.found_by(person)}
        assert stored[number] == expected, number
        assert db.session.get_one(Identity, number).index_key == sealer.indexing
        assert person.number.startswith((people.TOUR_PEOPLE, people.TOUR_NOBODY))
    assert len({person.number for person in opened.values()}) > CALLS / 6
    assert sum(bool(person.reference) for person in opened.values()) > CALLS / 10


def test_outcomes_are_what_the_register_says_of_the_people(year: Flask) -> None:
    sealer = this_instance().sealer
    told = {Outcome.MATCH: "0000", Outcome.MISMATCH: "0008", Outcome.NO_SUCH_NUMBER: "0007"}
    rows = db.session.scalars(select(Verification).where(Verification.outcome.in_(told)).limit(400)).all()
    opened = identities.open_people([row.id for row in rows], sealer)

    for row in rows:
        person = opened[row.id]
        assert people.lookup(person.name, person.number) == told[row.outcome] == row.vendor_code


def test_nobody_comes_again_while_a_recent_result_would_have_been_shown(year: Flask) -> None:
    sealer = this_instance().sealer
    last: dict[tuple[str, str], datetime] = {}
    again = 0
    at = {row.id: row.created_at for row in db.session.scalars(select(Verification))}
    for number, person in sorted(identities.open_people(list(at), sealer).items()):
        key = person.name, person.number
        again += key in last
        assert at[number] - last.get(key, datetime(2000, 1, 1, tzinfo=UTC)) > timedelta(days=1)
        last[key] = at[number]
    assert again > CALLS / 3


def test_the_trail_holds_each_call_and_each_decision(year: Flask) -> None:
    records: Counter[str] = Counter(db.session.scalars(select(AuditRecord.action)))

    assert records[Action.VERIFICATION_SENT] == records[Action.VERIFICATION_FINISHED] == CALLS
    assert records[Action.LOT_RECORDED] == count(Lot)
    assert records[Action.UNKNOWN_SETTLED] == count(Settlement) > 0
    sample = db.session.scalars(
        select(AuditRecord).where(AuditRecord.object_type == "verification").order_by(AuditRecord.id).limit(200)
    ).all()
    for record in sample:
        row = db.session.get_one(Verification, record.object_id)
        expected: dict[str, Any] = {"purpose": row.purpose_id}
        if record.action == Action.VERIFICATION_FINISHED:
            expected = {"outcome": row.outcome, "billed": row.billed, "cause": row.cause}
        if row.outcome != Outcome.UNKNOWN:
            assert record.detail == expected
            assert record.actor_id == row.operator_id


def test_the_seals_of_the_trail_are_right_and_cover_every_record(year: Flask) -> None:
    """They were made before the records were stored."""
    faults: list[str] = []
    verdict = verify(this_instance().keys, faults.append)

    assert faults == []
    assert (verdict.records, verdict.unsealed) == (count(AuditRecord), 0)
    assert verdict.records > 2 * CALLS


def test_what_is_open_is_told_and_what_was_settled_is_not(year: Flask) -> None:
    unknown = select(Verification.id).where(Verification.outcome == Outcome.UNKNOWN)
    still_open = set(db.session.scalars(unknown.where(Verification.billed == Billed.UNKNOWN)))
    told = set(db.session.scalars(select(Notice.key).where(Notice.kind == "unknown_outcome")))

    assert told == {f"unknown:{number}" for number in still_open}
    settled = set(db.session.scalars(select(Settlement.verification_id)))
    assert settled == set(db.session.scalars(unknown)) - still_open
    assert settled


def test_counters_and_histogram_are_filled_and_nothing_waits(year: Flask) -> None:
    assert db.session.scalar(select(func.sum(UsageDay.calls))) == CALLS
    assert db.session.scalar(select(func.sum(UsageHour.calls))) == CALLS
    assert db.session.scalar(select(func.sum(LatencyHour.calls))) == CALLS


def test_the_schema_is_as_it_was(year: Flask) -> None:
    assert indexes() == year.extensions["indexes before"]
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


def indexes() -> dict[str, list[Any]]:
    found = inspect(db.engine)
    return {table: sorted((index["name"], index["column_names"], index["unique"]) for index in found.get_indexes(table))
            for table in found.get_table_names()}  # fmt: skip


def test_the_pages_show_it_and_the_product_goes_on(filled: Flask, sandbox: Any) -> None:
    with time_machine.travel(NOW, tick=True):
        admin = Desk(filled, ADMIN)
        dashboard = admin.get("/").text
        with filled.app_context():
            remaining = quota.valid_supply(day_of(NOW, this_instance().settings.zone))[0]
            newest = db.session.scalars(select(Verification).order_by(Verification.id.desc()).limit(1)).one()
        assert f'data-remaining="{remaining}"' in dashboard
        history = admin.get("/history").text
        assert history.count("data-verification") >= 20
        assert "李前台" in history
        assert admin.get(f"/verifications/{newest.id}").status_code == 200
        for page in ("/quota", "/unknowns", "/audit", "/reminders"):
            assert admin.get(page).status_code == 200


def facts(app: Flask) -> list[tuple[Any, ...]]:
    """Everything of each call but what is sealed under a nonce of its own."""
    with app.app_context():
        sealer = this_instance().sealer
        rows = db.session.execute(select(Verification.__table__).order_by(Verification.id)).all()
        opened = identities.open_people([row.id for row in rows], sealer)
        found = [(*row, opened[row.id].number, opened[row.id].raw) for row in rows]
        db.session.remove()
        return found


def fill_again(app: Flask, seed: int = 1, **options: Any) -> list[tuple[Any, ...]]:
    with app.app_context():
        fill(600, 90, seed, this_instance(), NOW, **options)
    return facts(app)


Make = Callable[[], Flask]


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Make]:
    """Makes empty products on SQLite."""
    made: list[Flask] = []

    def make() -> Flask:
        app = create_app(settings_for(tmp_path / str(len(made)), None))
        made.append(app)
        with app.app_context():
            schema.migrate(utc_now())
            db.session.remove()
        return app

    yield make
    for app in made:
        app.extensions["vendor"].close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def test_the_same_seed_makes_the_same_calls_and_another_makes_others(new: Make) -> None:
    first = fill_again(new())

    assert fill_again(new()) == first
    assert fill_again(new(), seed=2) != first


def test_two_processes_make_what_one_makes(new: Make) -> None:
    assert fill_again(new(), alone_up_to=0) == fill_again(new())


def test_an_empty_day_a_single_call_and_the_middle_of_the_night_are_filled_too(new: Make) -> None:
    for calls, days, now in ((1, 1, NOW), (3, 400, NOW), (50, 2, NOW.replace(hour=19))):
        app = new()
        with app.app_context():
            made = fill(calls, days, 1, this_instance(), now)
            assert (made.calls, (made.last - made.first).days) == (calls, days - 1)
        assert differences(app, now=NOW) == []


def test_made_up_users_lock_nobody_out_of_a_new_instance(new: Make) -> None:
    """Who serves it afterwards makes the first admin as ever; nobody logs in as the made-up one, nor counts on them."""
    app = new()
    with app.app_context():
        fill(5, 2, 1, this_instance(), NOW)
        made_up = db.session.scalars(select(User).where(User.role == Role.ADMIN)).one()
        assert not accounts.has_users()
        assert not any(passwords.matches(made_up.password_hash, tried) for tried in ("", "demo", made_up.email))

        with transaction():
            own = accounts.create_user(Profile("", "me@example.com", Role.ADMIN), "a-long-password", SYSTEM, NOW)
        assert accounts.has_users()
        with transaction(), pytest.raises(accounts.LastAdmin):
            accounts.change_user(own.id, Profile("", "me@example.com", Role.OPERATOR), "", SYSTEM, NOW)


def all_rows(app: Flask) -> dict[str, int]:
    with app.app_context():
        found = {table.name: count(table) for table in Base.metadata.sorted_tables}
        db.session.remove()
        return found


def test_what_is_interrupted_leaves_nothing_behind_and_can_be_done_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        before_indexes = indexes()
    before, stored = all_rows(app), 0

    def stop_at_the_third(*arguments: Any) -> None:
        nonlocal stored
        stored += 1
        if stored == 3:
            raise KeyboardInterrupt
        store(*arguments)

    store = loading.store
    monkeypatch.setattr(loading, "store", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt), app.app_context():
        fill(2_000, 200, 1, this_instance(), NOW)
    monkeypatch.undo()

    assert all_rows(app) == before
    with app.app_context():
        assert indexes() == before_indexes
        assert fill(200, 100, 1, this_instance(), NOW).calls == 200
    assert differences(app, now=NOW) == []


@pytest.mark.parametrize("sent", [b"", b"\x00\x00\x10\x00of four kilobytes"], ids=["before", "in the middle"])
def test_a_process_that_makes_them_and_dies_leaves_nothing_behind(
    new: Make, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    app = new()
    before = all_rows(app)
    monkeypatch.setattr(apart, "_make", partial(_die, sent))

    with pytest.raises(CannotFill, match="ended too early, with exit code 3: nothing is stored"), app.app_context():
        fill(200, 100, 1, this_instance(), NOW, alone_up_to=0)

    assert all_rows(app) == before


def _die(sent: bytes, _task: object, sender: Connection) -> None:
    os.write(sender.fileno(), sent)
    raise SystemExit(3)


def test_what_is_killed_in_the_middle_leaves_nothing_behind(new: Make) -> None:
    app = new()
    before = all_rows(app)
    with app.app_context():
        file = Path(str(db.engine.url.database))
        db.engine.dispose()
    size = file.stat().st_size

    killed = multiprocessing.get_context("spawn").Process(target=fill_until_killed, args=(file.parent,))
    killed.start()
    killed.join()

    assert killed.exitcode == -signal.SIGKILL
    assert file.stat().st_size > 2 * size, "much was in the file already"
    assert all_rows(app) == before
    with app.app_context():
        assert fill(200, 100, 1, this_instance(), NOW).calls == 200
    assert differences(app, now=NOW) == []


def fill_until_killed(folder: Path) -> None:
    """In a process of its own, which is killed when it has stored two batches of three."""
    store, stored = loading.store, 0

    def die_at_the_third(*arguments: Any) -> None:
        nonlocal stored
        stored += 1
        if stored == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        store(*arguments)

    app = create_app(settings_for(folder, None))
    with app.app_context(), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(loading, "store", die_at_the_third)
        # What does not fit in there is in the file.
        monkeypatch.setattr(loading, "PRAGMAS", (*loading.PRAGMAS, "cache_size=20"))
        fill(4_000, 200, 1, this_instance(), NOW, alone_up_to=0)


def test_a_full_disk_is_told_and_leaves_nothing_behind(new: Make) -> None:
    app = new()
    before = all_rows(app)

    def of_a_megabyte(driver: Any, _record: object) -> None:
        driver.execute("PRAGMA max_page_count=400")

    with app.app_context():
        event.listen(db.engine, "connect", of_a_megabyte)
        with pytest.raises(CannotFill, match=r"the disk is full.* nothing is stored"):
            fill(2_000, 100, 1, this_instance(), NOW)
        event.remove(db.engine, "connect", of_a_megabyte)
        db.engine.dispose()
    assert all_rows(app) == before
    with app.app_context():
        assert fill(200, 100, 1, this_instance(), NOW).calls == 200


def test_a_live_instance_is_never_filled(app: Flask) -> None:
    with app.app_context():
        be("live")
        with pytest.raises(CannotFill, match="live"):
            fill(10, 10, 1, this_instance(), NOW)
        be("sandbox")
    assert all_rows(app)["verification"] == 0


def test_books_that_hold_something_are_left_alone(app: Flask, sandbox: Any) -> None:
    Desk(app, ADMIN).record_lot(100)
    assert card_of(Desk(app, OPERATOR).verify("张三", "11010519491231002X").text)[0] == "match"
    before = all_rows(app)

    with app.app_context(), pytest.raises(CannotFill, match="hold calls or lots already"):
        fill(10, 10, 1, this_instance(), NOW)

    assert all_rows(app) == before


def test_a_file_that_another_process_has_open_is_left_alone(new: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    app = new()
    with app.app_context():
        url = str(db.engine.url)
    with outside(url) as scalar:
        assert scalar("SELECT count(*) FROM lot") == 0
        with app.app_context(), pytest.raises(CannotFill, match="stop `yuliang serve`"):
            fill(10, 10, 1, this_instance(), NOW)
        assert scalar("SELECT count(*) FROM app_user") == 0
    with app.app_context():
        assert fill(10, 10, 1, this_instance(), NOW).calls == 10


def test_twice_as_many_calls_cost_little_more_than_twice(tmp_path: Path) -> None:
    """Steps of SQLite's machine: what is looked through for each call grows with the square."""

    def steps(calls: int) -> int:
        made, hundreds = create_app(settings_for(tmp_path / str(calls), None)), 0

        def one_more() -> int:
            nonlocal hundreds
            hundreds += 1
            return 0

        with made.app_context():
            schema.migrate(utc_now())
            hire()
            event.listen(db.engine, "connect", lambda driver, _record: driver.set_progress_handler(one_more, 100))
            fill(calls, 30, 1, this_instance(), NOW)
            db.session.remove()
            db.engine.dispose()
        made.extensions["vendor"].close()
        return hundreds

    few, many = steps(2_000), steps(4_000)
    assert many < 2.5 * few
