"""When the same call may be sent again, and after what pause. Pure: no I/O, chance is an argument."""

from collections.abc import Sequence

from webapp.vendor.contract import Retry

FIRST_PAUSE = 0.5
"""Seconds; doubles with every retry."""
LIMITS = {Retry.NEVER: 0, Retry.ONCE: 1, Retry.BACKOFF: 3}


def pause(wanted: Retry, earlier: Sequence[Retry], chance: float) -> float | None:
    """Seconds to wait before sending again, None: leave it at that.

    `wanted`: what the last answer allows; `earlier`: what allowed the retries made so far; `chance`: 0 to 1,
    spreads callers that were refused together over the second half of the pause.
    """
    if earlier.count(wanted) >= LIMITS[wanted] or len(earlier) >= max(LIMITS.values()):
        return None
    return float(FIRST_PAUSE * 2 ** len(earlier) * (0.5 + 0.5 * chance))
