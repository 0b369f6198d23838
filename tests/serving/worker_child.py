"""A worker process of the tests: for each order that is read it runs one job, and says whether it was its turn."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta

from flask import Flask

from webapp import create_app
from webapp.scheduler import Job, holder_name, run_job
from webapp.settings import read_settings
from webapp.watching import logs


def main() -> None:
    """An order: `environ`, the settings; `moment`, the time that it is."""
    logs.configure("ERROR")
    job = Job("shared", lambda _instance, _now: False, timedelta(seconds=5))
    holder, apps = holder_name(), dict[str, Flask]()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        moment, key = datetime.fromisoformat(order["moment"]), json.dumps(order["environ"])
        if key not in apps:
            apps[key] = create_app(read_settings(order["environ"]))
        print(run_job(apps[key], job, holder, lambda moment=moment: moment), flush=True)  # type: ignore[misc]


if __name__ == "__main__":
    main()
