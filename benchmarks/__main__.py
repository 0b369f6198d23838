"""Runs the benchmarks named on the command line, or all of them."""

from __future__ import annotations

import argparse
import platform
import sys

from benchmarks import cold, memory, reminders, start, verify, weight
from benchmarks.report import Report

PARTS = {
    "weight": weight.run,
    "verify": verify.run,
    "start": start.run,
    "memory": memory.run,
    "reminders": reminders.run,
    "cold": cold.run,
}


def main() -> int:
    """Prints every figure; the exit code is 0 whatever they are: machines differ, goals are for reading."""
    parser = argparse.ArgumentParser("python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    print(f"Yuliang benchmarks, Python {platform.python_version()}, {platform.machine()}")
    report = Report()
    for name in parser.parse_args().parts or PARTS:
        PARTS[name](report)
    print(f"\nMissed: {', '.join(report.missed)}" if report.missed else "\nAll goals met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
