"""Processes as Linux tells of them."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> list[int]:
    """The living children of a process, in order of their start; none where it is gone."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [child for child in map(int, found.split()) if alive(child)]


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on."""
    return [one for child in children(pid) for one in (child, *descendants(child))]


def alive(pid: int) -> bool:
    """Whether it runs; a dead one that nobody has buried does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
