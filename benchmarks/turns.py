"""Measuring things in turns, so that a busy machine is busy for all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks import stopwatch

Work = Callable[[], object]
Times = dict[str, list[float]]
"""Milliseconds of each turn, by name."""


def in_turns(works: Mapping[str, Work], turns: int) -> Times:
    """Each work once a turn, one after the other; a turn before the first warms all caches and does not count."""
    for work in works.values():
        work()
    stopwatch.look_for_children()
    times: Times = {name: [] for name in works}
    for _turn in range(turns):
        for name, work in works.items():
            begun = stopwatch.seconds()
            work()
            times[name].append((stopwatch.seconds() - begun) * 1000)
    return times
