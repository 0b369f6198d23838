"""Addresses of pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """A rule that works out how its address is written when that is first asked for, and not at the start.

    Werkzeug compiles two functions a rule for that, which took most of the time in which an application is made. Where
    a later version does it otherwise, this is never called and all is as it would be without.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = partial(super()._compile_builder, append_unknown)
        compiled: Callable[..., tuple[str, str]] | None = None

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            nonlocal compiled
            compiled = compiled or compile_now()
            return compiled(rule, **values)

        return build
