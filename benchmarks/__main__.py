"""Runs the benchmarks named on the command line, or all but the cold ones."""

from __future__ import annotations

import argparse
import platform
import sys

from benchmarks import cold, memory, start, verify, weight
from benchmarks.report import Report

PARTS = {
    "weight": weight.run,
    "verify": verify.run,
    "start": start.run,
    "memory": memory.run,
    "cold": cold.run,
}
SLOW: set[str] = set()


def main() -> int:
    """Prints every figure; the exit code is 0 whatever they are: machines differ, goals are for reading."""
    parser = argparse.ArgumentParser("python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help=f"default: all but {', '.join(sorted(SLOW))}")
    wanted = parser.parse_args().parts or [name for name in PARTS if name not in SLOW]
    print(f"Yuliang benchmarks, Python {platform.python_version()}, {platform.machine()}")
    report = Report()
    for name in wanted:
        PARTS[name](report)
    print(f"\nMissed: {', '.join(report.missed)}" if report.missed else "\nAll goals met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
