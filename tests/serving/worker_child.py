"""A worker process of the tests: runs one job for each moment that is read, and says whether it was its turn."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta

from webapp import create_app
from webapp.scheduler import Job, holder_name, run_job
from webapp.settings import read_settings
from webapp.watching import logs


def main() -> None:
    logs.configure("ERROR")
    app = create_app(read_settings(json.loads(sys.argv[1])))
    job = Job("shared", lambda _instance, _now: False, timedelta(seconds=5))
    holder = holder_name()
    print("ready", flush=True)
    for line in sys.stdin:
        moment = datetime.fromisoformat(line.strip())
        print(run_job(app, job, holder, lambda moment=moment: moment), flush=True)  # type: ignore[misc]


if __name__ == "__main__":
    main()
