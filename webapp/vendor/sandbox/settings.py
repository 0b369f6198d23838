"""What can be set while the sandbox runs. Pure: no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from webapp.vendor.sandbox.scenarios import BY_NAME

_LONGEST_MS = 600_000
_MOST_CALLS = 10**12


class SettingsRefused(ValueError):
    """A setting is unknown or its value is wrong; the message says which. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """What the vendor is like. Times in milliseconds.

    `quota`: calls that may be charged in this run, None for no end. `appcode`: the only one accepted, None
    for any. `scenario`: the name of a situation every request gets, None for each its own. `latency_ms`
    before every answer, `slow_ms` of the slow answer, `trickle_ms` between two trickled bytes.
    """

    quota: int | None = None
    appcode: str | None = None
    scenario: str | None = None
    latency_ms: int = 0
    slow_ms: int = 3000
    trickle_ms: int = 1000

    def __post_init__(self) -> None:
        _whole("quota", self.quota, _MOST_CALLS, optional=True)
        for name in ("latency_ms", "slow_ms", "trickle_ms"):
            _whole(name, getattr(self, name), _LONGEST_MS)
        if self.appcode is not None and not _appcode(self.appcode):
            raise SettingsRefused("appcode must be printable ASCII without spaces, or null for any")
        if self.scenario is not None and self.scenario not in tuple(BY_NAME):
            raise SettingsRefused("scenario must be one of the documented names, or null for none")

    def changed(self, values: Mapping[str, object]) -> SandboxSettings:
        """A copy with these values. Raises SettingsRefused for an unknown name or a wrong value."""
        unknown = sorted(set(values) - set(self.__slots__))
        if unknown:
            known = ", ".join(self.__slots__)
            raise SettingsRefused(f"no such setting: {', '.join(unknown)[:80]}; there are {known}")
        return replace(self, **values)  # type: ignore[arg-type]  # __post_init__ checks every value


def _whole(name: str, value: object, most: int, *, optional: bool = False) -> None:
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise SettingsRefused(f"{name} must be a whole number from 0 to {most}{', or null' * optional}")


def _appcode(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[!-~]+", value) is not None
