"""What can be set while the sandbox runs. Pure: no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from webapp.vendor.sandbox.meter_scenarios import MeterScenario
from webapp.vendor.sandbox.scenarios import BY_NAME

_LONGEST_MS = 600_000
_MOST_CALLS = 10**12
_MOST_SECONDS = 10**6


class SettingsRefused(ValueError):
    """A setting is unknown or its value is wrong; the message says which. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """What the vendor is like. Times in milliseconds.

    `quota`: calls that may be charged in this run, None for no end. `appcode`: the only one accepted, None
    for any. `scenario`: the name of a situation every request gets, None for each its own. `latency_ms`
    before every answer, `slow_ms` of the slow answer, `trickle_ms` between two trickled bytes.

    The vendor's own counter: `bought` calls in all where there is no quota; `elsewhere` calls were made with the same
    AppCode by others; the newest `meter_lag_calls` charged calls, and those of the last `meter_lag_seconds`, are not
    counted yet; `meter_page_size` rows a page; its clock is `meter_clock_seconds` ahead (behind, if negative);
    `meter_scenario`: how it misbehaves, None: not at all.
    """

    quota: int | None = None
    appcode: str | None = None
    scenario: str | None = None
    latency_ms: int = 0
    slow_ms: int = 3000
    trickle_ms: int = 1000
    bought: int = 1_000_000
    elsewhere: int = 0
    meter_lag_calls: int = 0
    meter_lag_seconds: int = 0
    meter_page_size: int = 20
    meter_clock_seconds: int = 0
    meter_scenario: str | None = None

    def __post_init__(self) -> None:
        _whole("quota", self.quota, _MOST_CALLS, optional=True)
        for name in ("latency_ms", "slow_ms", "trickle_ms"):
            _whole(name, getattr(self, name), _LONGEST_MS)
        for name in ("bought", "elsewhere", "meter_lag_calls"):
            _whole(name, getattr(self, name), _MOST_CALLS)
        _whole("meter_lag_seconds", self.meter_lag_seconds, _MOST_SECONDS)
        _whole("meter_page_size", self.meter_page_size, 100, least=1)
        _whole("meter_clock_seconds", self.meter_clock_seconds, _MOST_SECONDS, least=-_MOST_SECONDS)
        if self.meter_scenario is not None and self.meter_scenario not in tuple(MeterScenario):
            raise SettingsRefused("meter_scenario must be one of the documented names, or null for none")
        if self.appcode is not None and not _appcode(self.appcode):
            raise SettingsRefused("appcode must be printable ASCII without spaces, or null for any")
        if self.scenario is not None and self.scenario not in tuple(BY_NAME):
            raise SettingsRefused("scenario must be one of the documented names, or null for none")

    @property
    def open_quota(self) -> int | None:
        """What the quota leaves for the calls made here."""
        return None if self.quota is None else max(0, self.quota - self.elsewhere)

    def changed(self, values: Mapping[str, object]) -> SandboxSettings:
        """A copy with these values. Raises SettingsRefused for an unknown name or a wrong value."""
        unknown = sorted(set(values) - set(self.__slots__))
        if unknown:
            known = ", ".join(self.__slots__)
            raise SettingsRefused(f"no such setting: {', '.join(unknown)[:80]}; there are {known}")
        return replace(self, **values)  # type: ignore[arg-type]  # __post_init__ checks every value


def _whole(name: str, value: object, most: int, *, least: int = 0, optional: bool = False) -> None:
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SettingsRefused(f"{name} must be a whole number from {least} to {most}{', or null' * optional}")


def _appcode(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[!-~]+", value) is not None
