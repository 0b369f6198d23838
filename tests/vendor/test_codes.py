"""The table itself: complete, consistent, and careful with what may have been spent."""

import re
from pathlib import Path

import pytest

from tests.vendor.table import TABLE
from webapp.vendor import codes, contract
from webapp.vendor.codes import GATEWAY_CODES, GATEWAY_MESSAGES, RESP_CODES, Row, by_gateway_code
from webapp.vendor.contract import Billed, Cause, Outcome, Retry

GATEWAY_ROWS = [*GATEWAY_CODES.values(), *GATEWAY_MESSAGES.values(), codes.NETWORK, codes.NO_ANSWER]


@pytest.mark.parametrize("row", GATEWAY_ROWS)
def test_only_what_cannot_have_been_spent_is_sent_again(row: Row) -> None:
    assert row.billed is Billed.NO or row.retry is Retry.NEVER


@pytest.mark.parametrize("row", GATEWAY_ROWS)
def test_unknown_is_said_of_outcome_and_charge_together(row: Row) -> None:
    assert (row.outcome is Outcome.UNKNOWN) == (row.billed is Billed.UNKNOWN)


@pytest.mark.parametrize("row", GATEWAY_ROWS)
def test_a_failure_of_the_gateway_says_nothing_about_the_person(row: Row) -> None:
    assert row.outcome in (Outcome.REFUSED, Outcome.UNKNOWN)
    assert row.cause is not None


@pytest.mark.parametrize("letter", "IABTDXN")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 451, 499, 500, 502, 503, 504])
def test_every_class_has_a_row_whatever_its_status(letter: str, status: int) -> None:
    assert by_gateway_code(f"{letter}{status}ZZ", status).cause is not None


@pytest.mark.parametrize("code", ["", "Z403MQ", "B403", "b403mq", "B403MQX", "403", "B403MQ\n", "Ｂ403MQ"])
def test_a_code_of_another_shape_is_judged_by_the_http_status_alone(code: str) -> None:
    assert by_gateway_code(code, 403) is codes.STRANGE_REFUSAL
    assert by_gateway_code(code, 504) is codes.VENDOR_TIMEOUT


def test_every_cause_of_the_client_can_come_from_the_table() -> None:
    seen = {row.cause for row in GATEWAY_ROWS} | {row.cause for row in RESP_CODES.values()}
    seen |= {codes.BACKEND_STATUS.cause, codes.NOT_JSON.cause, codes.UNKNOWN_CODE.cause}
    assert set(Cause) - seen == {Cause.ABANDONED}


def test_the_expected_table_names_every_code_and_message_the_product_knows() -> None:
    expected = " ".join(TABLE)
    assert [code for code in GATEWAY_CODES if len(code) == 6 and code not in expected] == []
    assert [code for code in RESP_CODES if f"respCode {code}" not in expected] == []


def test_every_known_respcode_and_any_other_answer_is_deducted_by_default() -> None:
    assert {codes.deducted(code) for code in (*RESP_CODES, "0005", "", "junk")} == {Billed.YES}


def test_an_admins_table_overrides_single_codes_and_may_be_partial() -> None:
    table = {"0010": Billed.NO, codes.OTHER: Billed.UNKNOWN}
    assert codes.deducted("0010", table) is Billed.NO
    assert codes.deducted("0005", table) is Billed.UNKNOWN
    assert codes.deducted("0000", table) is Billed.YES


def test_no_chinese_message_text_of_the_vendor_is_matched() -> None:
    folder = Path(codes.__file__).parent
    for file in (codes.__file__, folder / "reading.py", folder / "client.py"):
        assert not re.search("不能为空|信息匹配|不匹配|维护|格式错误", Path(file).read_text(encoding="utf-8"))


def test_maintenance_stops_for_a_minute_doubling_to_ten() -> None:
    assert RESP_CODES["0010"].stop == contract.Stop(seconds=60, doubling_to=600)
