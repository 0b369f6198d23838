"""Runs the benchmarks named on the command line, or all of them."""

from __future__ import annotations

import argparse
import platform
import sys
from functools import partial

from benchmarks import (
    cold,
    export,
    forecast,
    history,
    memory,
    reminders,
    rotation,
    start,
    stopwatch,
    usage,
    verify,
    weight,
)
from benchmarks.report import Report

PARTS = {
    "weight": weight.run,
    "verify": verify.run,
    "start": start.run,
    "memory": memory.run,
    "reminders": reminders.run,
    "forecast": forecast.run,
    "usage": usage.run,
    "export": export.run,
    "history": history.run,
    "cold": cold.run,
    "rotation": rotation.run,
}

SIZED = {"export": export.run, "history": history.run, "usage": usage.run, "rotation": rotation.run}


def main() -> int:
    """Prints every figure. The exit code is 0 whatever they are, for machines differ; with `--strict` it is 1 where a
    goal was missed."""
    parser = argparse.ArgumentParser("python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a goal was missed")
    parser.add_argument(
        "--rows", type=_sizes, help="sizes of export (the first), history, usage, rotation: 10000,1000000"
    )
    parser.add_argument("--processor", action="store_true", help="history and export by the time of the processor")
    args = parser.parse_args()
    if args.processor:
        stopwatch.count_processor()
    sized = {name: partial(part, sizes=args.rows) for name, part in SIZED.items()}
    parts = PARTS | (sized if args.rows else {})
    print(f"Yuliang benchmarks, Python {platform.python_version()}, {platform.machine()}")
    report = Report()
    for name in args.parts or parts:
        parts[name](report)
    print(f"\nMissed: {', '.join(report.missed)}" if report.missed else "\nAll goals met.")
    return 1 if args.strict and report.missed else 0


def _sizes(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
