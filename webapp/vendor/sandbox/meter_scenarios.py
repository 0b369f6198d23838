"""How the sandbox's counter can misbehave, one word each, with what happens in both languages. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

Row = dict[str, Any]


class MeterScenario(StrEnum):
    """What the counter does until it is told otherwise."""

    OTHER_PRODUCTS = "other_products"
    ONLY_OTHERS = "only_others"
    WRONG_INVARIANT = "wrong_invariant"
    NEGATIVE = "negative"
    HUGE_FIGURE = "huge_figure"
    MISSING_FIGURE = "missing_figure"
    TEXT_FIGURE = "text_figure"
    CONTRADICTION = "contradiction"
    ENDLESS_PAGES = "endless_pages"
    THROTTLED = "throttled"
    FORBIDDEN = "forbidden"
    INACTIVE_KEY = "inactive_key"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"
    REDIRECT = "redirect"
    NOT_JSON = "not_json"
    NOT_SUCCESS = "not_success"
    TOO_LARGE = "too_large"
    NO_ANSWER = "no_answer"


TEXTS: dict[MeterScenario, tuple[str, str]] = {
    MeterScenario.OTHER_PRODUCTS: ("别的商品的行也在其中", "rows of other products come first"),
    MeterScenario.ONLY_OTHERS: ("只有别的商品的行", "only rows of other products"),
    MeterScenario.WRONG_INVARIANT: ("余量与已用之和不等于总量", "remaining and used do not make the total"),
    MeterScenario.NEGATIVE: ("余量为负", "what remains is negative"),
    MeterScenario.HUGE_FIGURE: ("数目大得不可信", "figures nobody can believe"),
    MeterScenario.MISSING_FIGURE: ("缺少已用量", "the used calls are missing"),
    MeterScenario.TEXT_FIGURE: ("数目是文字", "the used calls are a text"),
    MeterScenario.CONTRADICTION: ("同一商品有两行不同的数目", "two rows of the product that differ"),
    MeterScenario.ENDLESS_PAGES: ("分页没有尽头", "pages without end"),
    MeterScenario.THROTTLED: ("请求过快：400 Throttling.User", "throttled: 400 Throttling.User"),
    MeterScenario.FORBIDDEN: ("没有权限：403 Forbidden.RAM", "not permitted: 403 Forbidden.RAM"),
    MeterScenario.INACTIVE_KEY: ("密钥已禁用：403", "the key is disabled: 403"),
    MeterScenario.INTERNAL_ERROR: ("内部错误：500", "internal error: 500"),
    MeterScenario.UNAVAILABLE: ("服务不可用：503，正文是网页", "unavailable: 503 with a web page"),
    MeterScenario.REDIRECT: ("重定向：302，不可跟随", "302: not to be followed"),
    MeterScenario.NOT_JSON: ("200，正文是网页", "200 with a web page"),
    MeterScenario.NOT_SUCCESS: ("200，Success 为 false", "200 with Success false"),
    MeterScenario.TOO_LARGE: ("正文超过 64 KB", "a body over 64 KB"),
    MeterScenario.NO_ANSWER: ("永不答复", "never answers"),
}

ROWS: dict[str | None, Callable[[Row], list[Row]]] = {
    MeterScenario.WRONG_INVARIANT: lambda row: [row | {"TotalCapacity": row["TotalCapacity"] + 1}],
    MeterScenario.NEGATIVE: lambda row: [row | {"TotalQuota": -1, "TotalCapacity": row["TotalUsage"] - 1}],
    MeterScenario.HUGE_FIGURE: lambda row: [row | {"TotalQuota": 10**18, "TotalCapacity": 10**18 + row["TotalUsage"]}],
    MeterScenario.MISSING_FIGURE: lambda row: [{name: row[name] for name in row if name != "TotalUsage"}],
    MeterScenario.TEXT_FIGURE: lambda row: [row | {"TotalUsage": str(row["TotalUsage"])}],
    MeterScenario.CONTRADICTION: lambda row: [
        row, row | {"TotalUsage": row["TotalUsage"] + 1, "TotalCapacity": row["TotalCapacity"] + 1}],
}  # fmt: skip
"""What becomes of the product's own row."""
