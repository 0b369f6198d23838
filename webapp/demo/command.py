"""`yuliang demo-data`: fills an empty practice instance with a believable year."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import datetime

from webapp.foundation.instance import Instance

MOST_CALLS, MOST_DAYS = 20_000_000, 1_100


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options to a parser of the caller's."""
    parser.add_argument("--calls", type=_between(1, MOST_CALLS), default=20_000, metavar="N",
                        help="how many verifications (default: %(default)s)")  # fmt: skip
    parser.add_argument("--days", type=_between(1, MOST_DAYS), default=365, metavar="N",
                        help="in how many days until now (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=_between(0, 2**32), default=1, metavar="N",
                        help="the same seed makes the same calls (default: %(default)s)")  # fmt: skip


def run(args: argparse.Namespace, instance: Instance, now: datetime) -> str:
    """Fills the instance and says what was made. Raises `CannotFill`."""
    from webapp.demo import operations  # only here: no other command needs to load all that

    begun = time.perf_counter()
    made = operations.fill(args.calls, args.days, args.seed, instance, now)
    seconds = time.perf_counter() - begun
    return (
        f"{made.calls} verifications from {made.first} to {made.last}, {made.lots} lots, {len(operations.STAFF)} "
        f"operators, in {seconds:.1f} s ({made.calls / seconds:.0f} a second).\n"
        "Nobody can log in as the made-up users; give one a password on the page Users, as your own admin."
    )


def _between(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not text.isascii() or len(text) > 12 or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read
