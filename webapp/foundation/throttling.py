"""How long whoever failed too often must wait, and by what strangers are counted. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil

FIRST_PAUSE = 5
"""Seconds after the first failure that is too many; each further one doubles it."""


def network(address: str) -> str:
    """What failures are counted by: the address, of IPv6 the /64 that one customer has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def wait(failures: int, last: datetime | None, free: int, window: timedelta, now: datetime) -> int:
    """Seconds until the next try is heard, 0: now; the longest pause is `window`."""
    if last is None or failures < free:
        return 0
    pause = min(2 ** min(failures - free, 20) * FIRST_PAUSE, int(window.total_seconds()))
    return max(0, ceil((last + timedelta(seconds=pause) - now).total_seconds()))
