"""Every documented situation, and the name that calls it. Pure: a table.

The names are Chinese characters only, so that they pass a strict check of names; the number may be any.
"""

from __future__ import annotations

from webapp.vendor.sandbox.backend_rows import BACKEND, CODES, ODD
from webapp.vendor.sandbox.gateway_rows import GATEWAY, OLDER
from webapp.vendor.sandbox.scenario import Manner, Scenario, Section
from webapp.vendor.sandbox.wire_rows import SEQUENCE, WIRE

__all__ = ["BY_NAME", "SCENARIOS", "SECTION_TITLES", "Manner", "Scenario", "Section"]

SCENARIOS: tuple[Scenario, ...] = (*CODES, *ODD, *GATEWAY, *OLDER, *BACKEND, *WIRE, *SEQUENCE)
BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}

SECTION_TITLES: dict[Section, tuple[str, str]] = {
    Section.CODES: ("手册的返回码", "The manual's codes"),
    Section.ODD: ("正常状态下的异常内容", "HTTP 200 with something odd"),
    Section.GATEWAY: ("网关拒绝", "The gateway refuses"),
    Section.OLDER: ("旧网关拒绝（只有附言，没有代码）", "The older gateway refuses (a message, no code)"),
    Section.BACKEND: ("服务商自己的错误状态", "The backend's own error status"),
    Section.WIRE: ("迟到、残缺或没有答复", "Late, broken or no answer"),
    Section.SEQUENCE: ("先失败后好转", "Failing first, then better"),
}
"""Chinese and English headings, in the order of `SCENARIOS`."""
