"""The `yuliang` command, and `python -m webapp`: loads the product, then does what `cli` says."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Runs one command and returns its exit code."""
    # All that is loaded stays: looking through it for garbage again and again would be a quarter of the start.
    gc.disable()
    from webapp import cli

    gc.freeze()
    gc.enable()
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
