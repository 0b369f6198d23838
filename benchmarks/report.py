"""One line a measurement: what, the figure, the goal, and whether it was met."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """Collects lines and prints each as it comes."""

    missed: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        """Begins a part."""
        print(f"\n{text}", flush=True)

    def line(
        self, what: str, value: float, unit: str = "", *, most: float | None = None, least: float | None = None
    ) -> None:
        """Prints one figure beside its goal."""
        goal, met = "", True
        if most is not None:
            goal, met = f"goal ≤ {most:g}{unit}", value <= most
        if least is not None:
            goal, met = f"goal ≥ {least:g}{unit}", value >= least
        if not met:
            self.missed.append(what)
        mark = "" if not goal else "ok" if met else "MISSED"
        print(f"  {what:<66} {value:>10.2f}{unit:<4} {goal:<18} {mark}", flush=True)


def median(values: list[float]) -> float:
    """The middle value."""
    return percentile(values, 50)


def percentile(values: list[float], share: int) -> float:
    """The value that `share` % of all lie below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]
