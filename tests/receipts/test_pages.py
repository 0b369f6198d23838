"""A receipt is seen by who may see its result; name and number are masked, the printed code stands on paper only."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.receipts.papers import (
    ENGLISH,
    ZHANG,
    change_outcome,
    erase,
    issue,
    print_sheet,
    records,
    said,
    secret_of,
)
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member
from webapp.foundation.clock import utc_now
from webapp.vendor.sandbox.server import Sandbox

Open = Callable[[Member | None], Desk]
MakeApp = Callable[..., Flask]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NUMBER_18 = "11010519491231002X"


@pytest.fixture
def receipt(desk: Open) -> str:
    """The address of the receipt of the operator's one verification."""
    desk(OPERATOR).verify(*ZHANG)
    return issue(desk(OPERATOR))


@pytest.mark.parametrize(
    ("member", "page", "sheet"),
    [(OPERATOR, 200, 200), (ADMIN, 200, 200), (AUDITOR, 200, 403), (COLLEAGUE, 404, 404), (None, 303, 303)],
    ids=["operator", "admin", "auditor", "colleague", "stranger"],
)
def test_who_may_see_the_result_sees_its_receipt_and_who_works_at_the_desk_prints_it(
    desk: Open, receipt: str, member: Member | None, page: int, sheet: int
) -> None:
    reader = desk(member)

    assert reader.get(receipt).status_code == page
    assert reader.get(f"{receipt}/print").status_code == sheet
    if page == 404:
        answers = [reader.get(path).text for path in (receipt, "/receipts/0000-0000-0000")]
        assert len({re.sub("[0-9a-f]{32}", "", text) for text in answers}) == 1, "nothing tells that it exists"


@pytest.mark.parametrize(
    ("member", "status"), [(ADMIN, 303), (COLLEAGUE, 404), (AUDITOR, 403), (None, 303)],
    ids=["admin", "colleague", "auditor", "stranger"],
)  # fmt: skip
@on_one_database
def test_who_may_issue_a_receipt(app: Flask, desk: Open, member: Member | None, status: int) -> None:
    desk(OPERATOR).verify(*ZHANG)

    answer = desk(member).post("/verifications/1/receipt")

    assert answer.status_code == status
    assert len(records(app, "receipt_issued")) == (1 if member is ADMIN else 0)


@on_one_database
def test_a_result_offers_its_receipt_and_says_where_it_is(desk: Open) -> None:
    operator = desk(OPERATOR)
    page = operator.verify(*ZHANG).text
    assert 'action="/verifications/1/receipt" target="_blank"' in page
    assert "data-receipt-link" not in desk(AUDITOR).get("/verifications/1").text, "there is none yet"

    address = issue(operator)

    for member in (OPERATOR, ADMIN, AUDITOR):
        assert f'href="{address}"' in desk(member).get("/verifications/1").text
    assert issue(operator) == address


@on_one_database
def test_what_is_no_conclusion_offers_none_and_says_so(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    assert "data-receipt-link" not in operator.verify("演练后端超时", NUMBER_18).text

    answer = operator.post("/verifications/1/receipt", follow_redirects=True, headers=ENGLISH)

    assert answer.request.path == "/verifications/1"
    assert "needs a conclusion" in said(answer)


@on_one_database
def test_an_erased_person_has_no_receipt_that_was_not_issued_before(app: Flask, desk: Open) -> None:
    desk(OPERATOR).verify(*ZHANG)
    erase(app)

    assert "data-receipt-link" not in desk(OPERATOR).get("/verifications/1").text
    assert desk(OPERATOR).post("/verifications/1/receipt").location == "/verifications/1"


def test_the_sheet_says_everything_in_the_words_of_the_glossary(make_app: MakeApp) -> None:
    app = make_app(UNIT_NAME="某某市政务服务中心", PUBLIC_URL="https://yuliang.example")
    operator = Desk(app, OPERATOR)
    operator.verify(*ZHANG)
    sheet = said(operator.get(f"{issue(operator)}/print"))

    for words in (
        "某某市政务服务中心", "核验凭证", "凭证号", "信息匹配", "不证明", "乙核验 · 前台",
        "办理业务核验身份（处理依据：本人同意）",
        "张*", "1****************X", "（Asia/Shanghai）", "服务商请求号", "验真码",
        "https://yuliang.example/receipts/verify",
        "经办人签字", "单位盖章", "日期", "演练环境",
    ):  # fmt: skip
        assert words in sheet, words
    assert "收据" not in sheet


@on_one_database
def test_without_a_name_or_an_address_there_is_a_line_and_a_word_instead(desk: Open, receipt: str) -> None:
    page = desk(OPERATOR).get(f"{receipt}/print", headers=ENGLISH)

    assert 'class="by-hand"' in page.text
    assert "Ask the unit named above" in said(page)
    assert "127.0.0.1" not in said(page)


@pytest.mark.parametrize("page", ["", "/print"])
@on_one_database
def test_never_is_more_than_the_masked_person_shown_not_even_at_once_to_who_asked(
    desk: Open, receipt: str, page: str
) -> None:
    for member in (OPERATOR, ADMIN):
        shown = desk(member).get(receipt + page).text

        assert "张*" in shown
        assert not any(hidden in shown for hidden in ("张三", NUMBER_18, "19491231", "1949", "002X", "北京"))


@on_one_database
def test_names_outside_the_bmp_are_masked_by_characters_not_by_halves(desk: Open) -> None:
    operator = desk(OPERATOR)
    for number, (name, masked) in enumerate({"\U00020bb7演": "\U00020bb7*", "赵\U00020bb7": "赵*"}.items(), start=1):
        operator.verify(name, NUMBER_18)

        assert f" {masked} 身份证" in said(operator.get(f"{issue(operator, f'/verifications/{number}')}/print"))


def test_the_printed_code_stands_on_the_sheet_only_and_is_always_the_same(desk: Open, receipt: str) -> None:
    sheets = {print_sheet(desk(member), receipt).secret for member in (OPERATOR, ADMIN)}

    assert len(sheets) == 1
    [secret] = sheets
    for member, path in ((OPERATOR, receipt), (AUDITOR, receipt), (AUDITOR, "/audit"), (OPERATOR, "/verifications/1")):
        page = desk(member).get(path).text
        assert secret not in page
        assert secret.replace("-", "") not in page


def test_each_look_is_recorded_and_a_refused_one_too(app: Flask, desk: Open, receipt: str) -> None:
    number = receipt.rpartition("/")[2]
    desk(AUDITOR).get(receipt)
    desk(OPERATOR).get(f"{receipt}/print")
    desk(AUDITOR).get(f"{receipt}/print")

    assert [(one.actor_id, one.object_type, one.object_id, one.detail) for one in records(app, "receipt_viewed")] == [
        (AUDITOR.id, "verification", 1, {"receipt": number})
    ]
    assert [(one.actor_id, one.detail) for one in records(app, "receipt_printed")] == [
        (OPERATOR.id, {"receipt": number})
    ]
    assert [one.detail["page"] for one in records(app, "access_refused")] == ["receipts.print_view"]
    assert "打开核验凭证打印" in desk(AUDITOR).get("/audit").text


def test_after_the_erasure_the_page_stands_without_person_and_code(app: Flask, desk: Open, receipt: str) -> None:
    before = print_sheet(desk(OPERATOR), receipt)
    erase(app)

    for page in (desk(OPERATOR).get(receipt), desk(AUDITOR).get(receipt), desk(OPERATOR).get(f"{receipt}/print")):
        assert page.status_code == 200
        assert "信息匹配" in said(page)
        assert "已删除" in said(page)
        assert not any(hidden in page.text for hidden in ("张*", "1****************X", before.secret))
        assert secret_of(page.text) is None


@on_one_database
def test_what_was_changed_in_the_database_is_told_and_not_printed(app: Flask, desk: Open, receipt: str) -> None:
    change_outcome(app, "mismatch")

    page, sheet = desk(ADMIN).get(receipt), desk(ADMIN).get(f"{receipt}/print")

    assert (page.status_code, sheet.status_code) == (200, 409)
    assert "已被改动" in said(page)
    assert secret_of(sheet.text) is None
    assert [one.success for one in records(app, "receipt_printed")] == [False]


def test_a_receipt_of_a_reused_result_cites_the_original_with_time_and_age(desk: Open) -> None:
    desk(OPERATOR).verify(*ZHANG)
    with time_machine.travel(utc_now() + timedelta(hours=3), tick=True):
        desk(COLLEAGUE).verify(*ZHANG)
        address = issue(desk(COLLEAGUE), "/reuses/1")
        sheet = desk(COLLEAGUE).get(f"{address}/print")
        assert desk(OPERATOR).get(address).status_code == 404
        original = issue(desk(OPERATOR))

    number = original.rpartition("/")[2]
    assert address != original
    assert "沿用 " in said(sheet)
    assert f"（3 小时前），未重新查询，原凭证号 {number}" in said(sheet)
    assert "丙同事 · 后台" in said(sheet)
    assert "乙核验" not in said(sheet), "who asked first is not the colleague's to know"
    assert desk(COLLEAGUE).get(original).status_code == 404
    assert f'href="{address}"' in desk(AUDITOR).get("/reuses/1").text


@on_one_database
def test_a_number_that_is_none_is_not_found(desk: Open) -> None:
    admin = desk(ADMIN)
    for number in (
        "0",
        "0000-0000-0000",
        "0000-0000-0001",
        "x" * 500,
        "核验",
        "%00",
        "11010519491231002X",
        "verify%20",
    ):
        for page in ("", "/print"):
            assert admin.get(f"/receipts/{number}{page}").status_code == 404, number


@on_one_database
def test_a_number_is_found_in_whichever_way_it_is_typed(desk: Open, receipt: str) -> None:
    number = receipt.rpartition("/")[2]

    for typed in (number.lower(), number.replace("-", ""), number.replace("0", "O").replace("1", "l")):
        assert desk(OPERATOR).get(f"/receipts/{typed}").status_code == 200


@on_one_database
def test_the_units_name_is_set_on_the_settings_page_and_can_be_taken_back(app: Flask, desk: Open) -> None:
    admin, operator = desk(ADMIN), desk(OPERATOR)
    answer = admin.post("/settings/unit", {"unit_name": " 某某市政务服务中心 "})
    assert (answer.status_code, answer.location) == (303, "/settings")
    operator.verify(*ZHANG)

    assert "某某市政务服务中心" in operator.get(f"{issue(operator)}/print").text
    assert 'value="某某市政务服务中心"' in admin.get("/settings").text

    admin.post("/settings/unit", {"unit_name": ""})

    assert "某某市政务服务中心" not in admin.get("/settings").text
    assert [one.detail for one in records(app, "setting_changed")] == [
        {"setting": "YULIANG_UNIT_NAME", "forgotten": False}, {"setting": "YULIANG_UNIT_NAME", "forgotten": True},
    ]  # fmt: skip


@on_one_database
def test_a_name_that_cannot_be_printed_is_refused_beside_its_field(desk: Open) -> None:
    admin = desk(ADMIN)
    for name in ("两\n行", "x" * 81, "x" * 10_000, "a\0b"):
        answer = admin.post("/settings/unit", {"unit_name": name})

        assert answer.status_code == 422
        assert 'id="unit_name-error"' in answer.text


@on_one_database
def test_a_name_that_the_environment_fixes_is_not_changed_here(make_app: MakeApp) -> None:
    app = make_app(UNIT_NAME="某某市政务服务中心")

    answer = Desk(app, ADMIN).post("/settings/unit", {"unit_name": "别的"})

    assert answer.status_code == 409
    assert records(app, "setting_changed") == []
