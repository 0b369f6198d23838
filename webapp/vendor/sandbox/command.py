"""`yuliang sandbox`: serves until told to stop, or prints what it knows."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
from collections.abc import Callable
from types import FrameType

from webapp.vendor.sandbox.listing import (
    PEOPLE_HEADINGS,
    SCENARIO_HEADINGS,
    Language,
    people_rows,
    plain,
    scenario_rows,
)
from webapp.vendor.sandbox.server import Sandbox

DEFAULT_PORT = 8001
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options to a parser of the caller's."""
    parser.description = "A stand-in for the vendor: real HTTP, invented people, documented failures."
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_between(0, 65_535),
        default=DEFAULT_PORT,
        help="0 takes a free one (default: %(default)s)",
    )
    parser.add_argument("--quota", type=_between(0, 10**12), help="calls it lets through (default: no end)")
    parser.add_argument("--latency", type=_between(0, 600_000), default=0, metavar="MS", help="added to every answer")
    parser.add_argument("--people", action="store_true", help="print the people and stop")
    parser.add_argument("--scenarios", action="store_true", help="print the names that make it fail and stop")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh", help="language of what is printed")


def announce_on_stdout(url: str) -> None:
    """One line, at once: scripts wait for it."""
    print(f"Sandbox vendor listening on {url}", flush=True)


def run(args: argparse.Namespace, announce: Callable[[str], None] = announce_on_stdout) -> int:
    """0 after a clean stop or a print, 1 where the address cannot be had (said on standard error).

    `announce` is told the URL as soon as the port is open. Takes SIGINT and SIGTERM while it serves.
    """
    if args.people or args.scenarios:
        _print_tables(args.lang, people=args.people, scenarios=args.scenarios)
        return 0
    sandbox = Sandbox(args.host, args.port, args.quota, latency_ms=args.latency)
    try:
        sandbox.listen()
    except OSError as error:
        print(f"yuliang sandbox: {_advice(error, args.host, args.port)}", file=sys.stderr)
        return 1
    _serve_until_signalled(sandbox, announce)
    return 0


def main(argv: list[str] | None = None) -> int:
    """The command by itself, without the rest of the product."""
    parser = argparse.ArgumentParser("yuliang sandbox")
    configure(parser)
    return run(parser.parse_args(argv))


def _serve_until_signalled(sandbox: Sandbox, announce: Callable[[str], None]) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        sandbox.request_stop()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        announce(sandbox.url)
        sandbox.serve_forever()
    finally:
        sandbox.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _advice(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop the other program or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights: choose one from 1024 on with --port"
    return f"cannot listen on {host}: give an address of this machine with --host, for example 127.0.0.1"


def _print_tables(language: Language, *, people: bool, scenarios: bool) -> None:
    if people:
        print(plain(PEOPLE_HEADINGS[language], people_rows(language)))
    if people and scenarios:
        print()
    if scenarios:
        print(plain(SCENARIO_HEADINGS[language], scenario_rows(language)))


def _between(least: int, most: int) -> Callable[[str], int]:
    """An argparse type: a whole number within bounds, or wrong usage (exit 2)."""

    def whole(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 16 and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"give a whole number from {least} to {most}")

    return whole


if __name__ == "__main__":
    sys.exit(main())
