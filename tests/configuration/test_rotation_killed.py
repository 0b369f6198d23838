"""Keys are rotated by a process that is killed again and again, while others verify and search: nobody notices."""

from __future__ import annotations

import os
import re
import signal
import threading
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.configuration import rotating_child
from tests.configuration.rotating import sealed_under
from tests.configuration.test_rotation import open_secret
from tests.conftest import MakeApp
from tests.history.rows import store
from tests.support.cast import AUDITOR, NOW, OPERATOR, Desk
from tests.support.nursery import running_nursery
from tests.support.waiting import until
from tests.verification.calls import buy, differences, somebody
from tests.verification.crash_child import environment
from webapp.audit import sealer as audit_sealer
from webapp.audit.command import verify_trail
from webapp.audit.trail import SYSTEM
from webapp.configuration import kind, rotation
from webapp.foundation import key_ring
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.receipts import operations as receipts
from webapp.receipts import queries
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import reindexing
from webapp.verification.identities import Person, found_by, open_person
from webapp.verification.models import Identity, IdentityIndex

PEOPLE = 80
CONCLUSIONS = {"match", "mismatch", "no_such_number"}
KNOWN = ("欧阳演练", "11010519491231002X")


class Pages:
    """Two browsers that go on all the time: what they saw that was wrong."""

    def __init__(self, make_app: MakeApp) -> None:
        self.operator, self.auditor = Desk(make_app(), OPERATOR), Desk(make_app(), AUDITOR)
        self.ends, self.wrong = threading.Event(), list[str]()
        self.verified, self.searched = 0, 0

    def verify(self) -> None:
        """Everybody is verified once, and shown again when asked about again."""
        while not self.ends.is_set():
            person = somebody(self.verified % 10_000)
            for wanted in (CONCLUSIONS, {"reused"}):
                page = self.operator.verify(*person, reference="业务-K")
                found = re.findall(r'data-outcome="(\w+)"', page.text)[:1]
                if page.status_code != 200 or not wanted & {*found}:
                    self.wrong.append(f"{found} instead of {wanted}: {page.status_code}")
            self.verified += 1
            self.ends.wait(0.1)

    def search(self) -> None:
        """The known person is always found, with all verifications."""
        while not self.ends.is_set():
            page = self.auditor.post("/history", {"q": KNOWN[1]}, follow_redirects=True)
            if page.status_code != 200 or page.text.count("data-verification=") != 3:
                self.wrong.append(f"search: {page.status_code} {page.text.count('data-verification=')}")
            self.searched += 1
            self.ends.wait(0.05)


def stand(app: Flask) -> tuple[bool, bool, int]:
    """Whether a rotation is under way, is promoted, and how many identities it has renewed."""
    with app.app_context():
        going = rotation.present()
        done = {one.name: one.done for one in rotation.progress(going.id)} if going else {}
        found = going is not None, going is not None and going.promoted_at is not None, done.get("identity", 0)
        db.session.remove()
        return found


def it_is_added(app: Flask) -> bool:
    return stand(app)[0]


def it_is_promoted(app: Flask) -> bool:
    return stand(app)[1]


def some_are_renewed(app: Flask) -> bool:
    return stand(app)[2] > 0


def a_third_is_renewed(app: Flask) -> bool:
    return stand(app)[2] > PEOPLE / 3


STAGES = (it_is_added, it_is_promoted, some_are_renewed, a_third_is_renewed)
"""Where it is killed, one after the other."""


def test_killed_again_and_again_under_writers_it_ends_as_if_nothing_had_been(
    make_app: MakeApp, database: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "LOOKED_AT_EVERY", rotating_child.LOOKED_AT_EVERY)
    app = make_app()
    buy(app, 10_000)
    with app.app_context():
        kind.agree(this_instance(), utc_now())
        with transaction():
            known = store(*[NOW] * 3, person=Person(*KNOWN))
            store(*[NOW] * PEOPLE, person=Person("众人", "440524188001010014", "单-1", "广东省", "汕头市"))
        receipt = receipts.issue(known[0], SYSTEM, this_instance(), utc_now())
        secret = open_secret(receipt)
        assert sealed_under("k1")["identity.sealed"] == PEOPLE + 3
    before = differences(app)  # the rows stored above have no calls
    pages = Pages(make_app)
    threads = [threading.Thread(target=work, daemon=True) for work in (pages.verify, pages.search)]
    for thread in threads:
        thread.start()

    try:
        environ = environment(database, tmp_path / "instance", sandbox.url)
        with running_nursery("tests.configuration.rotating_child") as nursery:
            for stage in STAGES:
                child = nursery.begin(rotating_child.live, environ=environ)
                until(partial(stage, app), stage.__name__)
                os.kill(child, signal.SIGKILL)
                assert nursery.end() == -signal.SIGKILL
                assert pages.wrong == []
            nursery.begin(rotating_child.live, environ=environ)
            assert nursery.end() == 0
    finally:
        pages.ends.set()
        for thread in threads:
            thread.join(30)

    assert pages.wrong == []
    assert pages.verified > 5
    assert pages.searched > 5
    assert differences(app) == before
    for name in ("data_keys", "index_keys"):
        path = tmp_path / "instance" / "keys" / name
        path.write_text(path.read_text().split(",")[0])
    fresh = make_app()
    with fresh.app_context():
        assert kind.agree(this_instance(), utc_now()) == "sandbox"
        assert sealed_under("k1") == {}
        assert rotation.present() is None
        everybody_is_indexed_under_the_new_key()
        found = queries.by_number(receipt)
        assert found is not None
        assert secret is not None
        assert receipts.holds(found, secret, this_instance())
        while audit_sealer.seal_next(this_instance().keys, utc_now()):
            pass
        assert verify_trail(this_instance().keys, None, print).faults == 0
    page = Desk(fresh, AUDITOR).post("/history", {"q": KNOWN[0]}, follow_redirects=True).text
    assert page.count("data-verification=") == 3


def everybody_is_indexed_under_the_new_key() -> None:
    sealer, wanted = this_instance().sealer, set()
    for number in db.session.scalars(select(Identity.verification_id)).all():
        person = open_person(number, sealer)
        assert person is not None
        wanted |= {(number, sealer.index(kind, value)) for kind, value in found_by(person)}
    rows = db.session.execute(select(IdentityIndex.verification_id, IdentityIndex.blind)).all()
    assert {tuple(row) for row in rows} == wanted
    assert len(rows) == (db.session.scalar(select(func.count()).select_from(IdentityIndex)) or 0)
    assert reindexing.Identities().fetch(None, sealer) is None
