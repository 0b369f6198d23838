"""A process that sends what is due and dies by SIGKILL at a named step. Run by test_outbox_crashes, never imported.

Arguments: instance folder, database URL, mail server's port, the time, the step. The steps are reached by putting
the kill around the product's own functions here, in the child: the product knows nothing of it.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.conftest import settings_for
from webapp import create_app
from webapp.foundation.instance import this_instance
from webapp.notify import outbox, sending
from webapp.notify.messages import Verdict


def die(*_arguments: Any, **_more: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str) -> None:
    take, settle = outbox.take, outbox.settle
    match step:
        case "before claim":
            outbox.take = die
        case "after claim":
            outbox.take = lambda *arguments: die() if take(*arguments) else None
        case "after OK, before commit":
            outbox.settle = lambda taken, reply, *rest, **more: (
                die() if reply.verdict == Verdict.ACCEPTED else settle(taken, reply, *rest, **more)
            )
        case "never" | "during DATA":
            pass
        case _:
            raise SystemExit(f"unknown step {step}")


def main() -> None:
    instance, database, port, now, step = sys.argv[1:]
    app = create_app(
        settings_for(Path(instance), database, SMTP_URL=f"smtp://127.0.0.1:{port}", MAIL_FROM="yuliang@here.test")
    )
    arm(step)
    moment = datetime.fromisoformat(now)
    with app.app_context():
        print("ready", flush=True)
        sending.drain(this_instance(), moment, lambda: moment)


if __name__ == "__main__":
    main()
