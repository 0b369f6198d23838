"""Measuring things in turns, so that a busy machine is busy for all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]
Times = dict[str, list[float]]
"""Milliseconds of each turn, by name."""


def in_turns(works: Mapping[str, Work], turns: int) -> Times:
    """Each work once a turn, one after the other; a turn before the first warms all caches and does not count."""
    for work in works.values():
        work()
    times: Times = {name: [] for name in works}
    for _turn in range(turns):
        for name, work in works.items():
            times[name].append(milliseconds(work))
    return times


def milliseconds(work: Work) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
