"""A process of an instance under test: a worker with quick jobs, or a web process that uses and buys calls as told
on its standard input. Run by test_processes, never imported.

Arguments: role, instance folder, database URL, mail server's port.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

from flask import Flask

from tests.conftest import settings_for
from tests.quota.books import new_call
from webapp import create_app
from webapp.audit.trail import SYSTEM
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.notify import sending
from webapp.notify.sending import SEND_JOB
from webapp.quota import ledger, watchers
from webapp.quota.ledger import Purchase
from webapp.reminders import operations
from webapp.reminders.operations import REVIEW_JOB
from webapp.scheduler import Job, Worker
from webapp.watching import logs

QUICK = timedelta(seconds=0.25)


def use_one() -> None:
    """One paid call, in the transactions and with the check of the real ones."""
    now = utc_now()
    with transaction():
        call = new_call()
        lot = ledger.hold(call, day_of(now, this_instance().settings.zone), now)
    with transaction():
        ledger.charge(call, lot, now)
    watchers.calls_settled(now)


def buy(calls: int) -> None:
    with transaction():
        ledger.record_purchase(Purchase(calls, date(2026, 1, 1), date(2099, 12, 31)), SYSTEM, utc_now())


def serve(app: Flask) -> None:
    with app.app_context():
        print("ready", flush=True)
        for line in sys.stdin:
            word, number = line.split()
            if word == "buy":
                buy(int(number))
            else:
                for _each in range(int(number)):
                    use_one()
            print("done", flush=True)


def main() -> None:
    role, instance, database, port = sys.argv[1:]
    logs.configure("ERROR")
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "MAIL_FROM": "yuliang@here.test"}
    app = create_app(settings_for(Path(instance), database, **mail))
    if role == "web":
        serve(app)
    else:
        print("ready", flush=True)
        Worker(app, (Job(REVIEW_JOB, operations.review, QUICK), Job(SEND_JOB, sending.drain, QUICK))).run()


if __name__ == "__main__":
    main()
