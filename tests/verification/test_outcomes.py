"""What the desk says for everything the vendor, its gateway or the network can do, and what our books make of it."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.cast import OPERATOR, Desk, card_of
from tests.support.over_http import served, visit
from tests.verification.calls import buy, differences, lot_figures, somebody, verification
from webapp.foundation.database import transaction
from webapp.vendor import circuit
from webapp.vendor.contract import Cause
from webapp.vendor.sandbox.scenarios import BY_NAME
from webapp.vendor.sandbox.server import Sandbox

CAUSES: dict[str, Cause | None] = {
    "演练信息匹配": None,
    "演练信息不匹配": None,
    "演练无此号码": None,
    "演练系统维护": None,
    "演练开户名为空": Cause.NAME_EMPTY,
    "演练特殊字符": Cause.NAME_SPECIAL,
    "演练号码为空": Cause.NUMBER_EMPTY,
    "演练号码格式错误": Cause.NUMBER_FORMAT,
    "演练余量用尽": Cause.QUOTA_EXHAUSTED,
    "旧网关余量用尽": Cause.QUOTA_EXHAUSTED,
    "演练套餐过期": Cause.PACKAGES_EXPIRED,
    "演练密钥无效": Cause.APPCODE_INVALID,
    "演练未订购": Cause.NOT_SUBSCRIBED,
    "演练授权过期": Cause.AUTHORISATION_EXPIRED,
    "演练订购无效": Cause.SUBSCRIPTION_INVALID,
    "演练服务商欠费": Cause.SELLER_OVERDUE,
    "旧网关账号欠费": Cause.BUYER_OVERDUE,
    "演练限流次数": Cause.THROTTLED,
    "演练接口不存在": Cause.ENDPOINT_WRONG,
    "演练缺少参数": Cause.REQUEST_MALFORMED,
    "演练地址被拒": Cause.ACCESS_DENIED,
    "演练接口停用": Cause.ENDPOINT_BLOCKED,
    "演练接口迁移": Cause.ENDPOINT_MOVED,
    "演练后端熔断": Cause.VENDOR_UNAVAILABLE,
    "演练后端连不上": Cause.VENDOR_UNREACHABLE,
    "演练网关繁忙": Cause.GATEWAY_BUSY,
    "演练后端超时": Cause.VENDOR_TIMEOUT,
    "演练网关内部错误": Cause.GATEWAY_INTERNAL,
    "演练后端响应异常": Cause.RESPONSE_BROKEN,
    "演练无答复": Cause.NO_ANSWER,
    "演练超时已计次": Cause.NO_ANSWER,
    "演练正文中断": Cause.NO_ANSWER,
    "演练后端报错": Cause.BACKEND_STATUS,
    "演练网页答复": Cause.NOT_JSON,
    "演练未知编码九": Cause.UNKNOWN_CODE,
}
"""By the sandbox's magic name; what the client is to make of it besides stands in the sandbox's own table."""
LOT = 1000


def test_each_cause_has_its_outcome_its_charge_and_its_place_in_the_books(
    make_app: MakeApp, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    app = make_app(VENDOR_CONNECT_TIMEOUT="2", VENDOR_READ_TIMEOUT="2", VENDOR_DEADLINE="2.5")
    lot = buy(app, LOT)
    operator = Desk(app, OPERATOR)
    form = {"csrf_token": operator.token(), "purpose": "1", "consent": "yes"}
    held = charged = 0
    for made, (name, cause) in enumerate(CAUSES.items(), start=1):
        with subtests.test(name):
            page = operator.client.post("/verify", data=form | {"id_number": somebody(made)[1], "name": name})
            page = operator.get(page.location)

            expected = BY_NAME[name]
            assert card_of(page.text) == (expected.outcome, expected.billed)
            row = verification(app, made)
            assert (row.outcome, row.billed, row.cause) == (expected.outcome, expected.billed, cause)
            charged += expected.billed == "yes"
            held += expected.billed == "unknown"
            assert lot_figures(app, lot) == (LOT - held - charged, held, charged)
        go_on(app)
    unbilled = sum(BY_NAME[name].charged for name in CAUSES if BY_NAME[name].billed == "unknown")
    assert sandbox.counts().charged == charged + unbilled
    assert differences(app) == []


def test_every_cause_that_a_call_can_have_is_tried_here() -> None:
    ours_alone = {Cause.ABANDONED, Cause.NETWORK}

    assert set(CAUSES.values()) - {None} == set(Cause) - ours_alone


def test_a_network_that_is_down_costs_nothing_and_is_said_so(make_app: MakeApp) -> None:
    app = make_app(VENDOR_URL="http://127.0.0.1:9", VENDOR_CONNECT_TIMEOUT="0.3", VENDOR_DEADLINE="0.5")
    lot = buy(app, LOT)

    page = Desk(app, OPERATOR).verify(*somebody(1))

    assert card_of(page.text) == ("refused", "no")
    assert verification(app, 1).cause == Cause.NETWORK
    assert lot_figures(app, lot) == (LOT, 0, 0)
    assert differences(app) == []


@pytest.mark.parametrize("deadline", [1, 3])
@pytest.mark.parametrize("name", ["演练逐字节头部", "演练逐字节正文", "演练无答复"])
def test_a_vendor_that_trickles_is_given_up_at_the_deadline(
    make_app: MakeApp, sandbox: Sandbox, name: str, deadline: int
) -> None:
    sandbox.change(trickle_ms=500)
    app = make_app(VENDOR_CONNECT_TIMEOUT="1", VENDOR_READ_TIMEOUT="30", VENDOR_DEADLINE=str(deadline))
    lot = buy(app, LOT)
    with served(app) as address:
        operator = visit(address, OPERATOR)
        operator.verify(*somebody(2))  # the first one takes longer: pages are read and compiled

        answer = operator.verify(name, somebody(1)[1])

    assert card_of(answer.text) == ("unknown", "unknown")
    took = sum(step.elapsed.total_seconds() for step in (*answer.history, answer))
    assert took < deadline + 20, "before the wait for an answer and the trickling end, on however slow a machine"
    assert name == "演练无答复" or took >= deadline - 0.1, "and not before, while something still comes"
    assert lot_figures(app, lot) == (LOT - 2, 1, 1)
    assert sandbox.counts().charged == 1 + (name != "演练无答复")
    assert differences(app) == []


def test_the_desk_stays_usable_after_every_kind_of_failure(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = make_app(VENDOR_CONNECT_TIMEOUT="2", VENDOR_READ_TIMEOUT="2", VENDOR_DEADLINE="2.5")
    operator = Desk(app, OPERATOR)
    for n, name in enumerate(("演练不是协议", "演练超长头部", "演练超大答复", "演练乱码答复", "演练连接重置")):
        operator.verify(name, somebody(n)[1])

    assert card_of(operator.verify("张三", "11010519491231002X").text) == ("match", "yes")


def go_on(app: Flask) -> None:
    """Ends a stop that the last answer has caused."""
    with app.app_context(), transaction():
        circuit.reset()
