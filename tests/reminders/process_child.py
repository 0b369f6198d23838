"""A process of an instance under test: a worker with quick jobs, or a web process that answers over HTTP until its
standard input ends. Run by test_processes, never imported.

Arguments: role, instance folder, database URL, mail server's port, the vendor's address.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from tests.conftest import settings_for
from tests.support.over_http import served
from webapp import create_app
from webapp.notify import sending
from webapp.notify.sending import SEND_JOB
from webapp.reminders import operations
from webapp.reminders.operations import REVIEW_JOB
from webapp.scheduler import Job, Worker
from webapp.watching import logs

QUICK = timedelta(seconds=0.25)


def main() -> None:
    role, instance, database, port, vendor = sys.argv[1:]
    logs.configure("ERROR")
    given = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "MAIL_FROM": "yuliang@here.test", "VENDOR_URL": vendor,
             "APPCODE": "test-appcode"}  # fmt: skip
    app = create_app(settings_for(Path(instance), database, **given))
    if role == "web":
        with served(app) as address:
            print(address, flush=True)
            sys.stdin.read()
    else:
        print("ready", flush=True)
        Worker(app, (Job(REVIEW_JOB, operations.review, QUICK), Job(SEND_JOB, sending.drain, QUICK))).run()


if __name__ == "__main__":
    main()
