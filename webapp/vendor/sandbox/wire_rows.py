"""How an answer can be late, broken or missing; sequences that get better by themselves. Pure: a table."""

from __future__ import annotations

from webapp.vendor.sandbox.answers import gateway, respond
from webapp.vendor.sandbox.scenario import Manner, Scenario, Section

_MATCH = respond("0000")


def _late(name: str, manner: Manner, zh: str, en: str) -> Scenario:
    return Scenario(name, Section.WIRE, zh, en, _MATCH, "match", "yes", charged=True, manner=manner)


def _broken(name: str, manner: Manner, zh: str, en: str) -> Scenario:
    return Scenario(name, Section.WIRE, zh, en, _MATCH, "unknown", "unknown", charged=True, manner=manner)


def _silent(name: str, manner: Manner, zh: str, en: str, *, charged: bool = False) -> Scenario:
    return Scenario(name, Section.WIRE, zh, en, None, "unknown", "unknown", charged=charged, manner=manner)


WIRE: tuple[Scenario, ...] = (
    _late("演练迟缓答复", Manner.SLOW, "三秒后答复", "answers after 3 seconds"),
    _late("演练分块答复", Manner.CHUNKED, "分块传送", "chunked transfer"),
    _silent("演练无答复", Manner.HANG, "收下请求，永不答复，不计次", "never answers, not charged"),
    _silent("演练超时已计次", Manner.HANG, "已计次，但永不答复", "charged, but never answers", charged=True),
    _broken("演练逐字节头部", Manner.TRICKLE_HEAD, "头部每秒一个字节", "headers, a byte a second"),
    _broken("演练逐字节正文", Manner.TRICKLE_BODY, "正文每秒一个字节", "body, a byte a second"),
    _broken("演练正文中断", Manner.CUT, "正文传到一半断开", "closed in the middle of the body"),
    _broken("演练半关闭", Manner.HALF_CLOSE, "传到一半，只关发送方向", "half-closed in the middle"),
    _silent("演练连接重置", Manner.RESET, "重置连接，不计次", "reset, not charged"),
    _silent("演练重置已计次", Manner.RESET, "已计次，随后重置", "charged, then reset", charged=True),
    _silent("演练连接关闭", Manner.CLOSE, "不答复即关闭，不计次", "closed unanswered, not charged"),
    _broken("演练不是协议", Manner.GARBAGE, "返回的不是网页协议", "bytes that are no HTTP"),
    _broken("演练超长头部", Manner.LONG_HEADER, "一行头部过长", "a header line of 128 KiB"),
)

SEQUENCE: tuple[Scenario, ...] = (
    Scenario(
        "演练限流两次后答复",
        Section.SEQUENCE,
        "同一号码：前两次请求限流，第三次匹配",
        "per number: throttled twice, then a match",
        _MATCH,
        "match",
        "yes",
        "backoff",
        charged=True,
        first=gateway("T429PA"),
        times=2,
    ),
    Scenario(
        "演练连不上一次后答复",
        Section.SEQUENCE,
        "同一号码：第一次连不上服务商，第二次匹配",
        "per number: backend not reached once, then a match",
        _MATCH,
        "match",
        "yes",
        "once",
        charged=True,
        first=gateway("D504CO"),
        times=1,
    ),
    Scenario(
        "演练网关忙一次后答复",
        Section.SEQUENCE,
        "同一号码：第一次网关繁忙，第二次匹配",
        "per number: gateway busy once, then a match",
        _MATCH,
        "match",
        "yes",
        "once",
        charged=True,
        first=gateway("X503BZ"),
        times=1,
    ),
    Scenario(
        "演练维护两次后答复",
        Section.SEQUENCE,
        "同一号码：前两次系统维护，第三次匹配",
        "per number: maintenance twice, then a match",
        _MATCH,
        "maintenance",
        "yes",
        "never",
        charged=True,
        first=respond("0010"),
        times=2,
        later=("maintenance", "match"),
    ),
)
