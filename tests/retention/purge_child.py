"""A process that purges with the real app on the real database and dies by SIGKILL at a commit, or when somebody kills
it. Tests let it live and die in a nursery (tests/support/nursery.py)."""

from __future__ import annotations

import os
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import event

from tests.verification.crash_child import die
from webapp import create_app
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.retention import batches, purging
from webapp.settings import read_settings
from webapp.watching import logs


def live(order: dict[str, Any]) -> None:
    """The process's life. `environ`: the settings; `now`; `size` of a batch; `point`: `before_commit` or
    `after_commit` of transaction number `which`, or nothing: it purges to the end."""
    os.environ.update(order["environ"])
    logs.configure("ERROR")
    app, now = create_app(read_settings(os.environ)), datetime.fromisoformat(order["now"])
    batches.SIZE, purging.LONGEST = order["size"], 0.0
    commits = count(1)

    def at_commit(_session: object) -> None:
        if next(commits) == order["which"]:
            die()

    with app.app_context():
        if order["point"]:
            event.listen(db.session, order["point"], at_commit)
        while purging.purge_due(this_instance(), now):
            pass
