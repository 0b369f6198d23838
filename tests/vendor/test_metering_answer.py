"""What an answer of the vendor's counter means: the documented sample, and every way not to be one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.vendor.metering_answer import MOST, Failure, Fault, Figures, Page, figures, read_page

PRODUCT = "cmapi025518"
SAMPLE = {"AliyunPk": 1, "ProductCode": PRODUCT, "ProductName": "身份证", "TotalQuota": 98, "TotalUsage": 220,
          "TotalCapacity": 318, "Unit": "次"}  # fmt: skip


def said(*rows: object, **more: object) -> bytes:
    whole = {"RequestId": "R1", "Code": "200", "Success": True, "Count": len(rows), "PageSize": 20, "Result": [*rows]}
    return json.dumps(whole | more).encode()


def fault(status: int, body: bytes) -> Fault:
    found = read_page(status, body)
    assert isinstance(found, Failure)
    return found.fault


def test_the_documented_sample_says_98_remain_220_used_318_in_all() -> None:
    page = read_page(200, said(SAMPLE))

    assert isinstance(page, Page)
    found = figures(page.rows, PRODUCT, page.request_id)
    assert found == Figures(used=220, total=318, request_id="R1")
    assert found.remaining == 98


def row(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in (SAMPLE | changed).items() if value is not ...}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"TotalCapacity": 319}, Fault.INVARIANT),
        ({"TotalQuota": 318, "TotalCapacity": 318}, Fault.INVARIANT),
        ({"TotalQuota": -2, "TotalCapacity": 218}, Fault.NEGATIVE),
        ({"TotalUsage": -1, "TotalCapacity": 97}, Fault.NEGATIVE),
        ({"TotalUsage": ...}, Fault.SHAPE),
        ({"TotalQuota": None}, Fault.SHAPE),
        ({"TotalUsage": "220"}, Fault.SHAPE),
        ({"TotalUsage": 220.0}, Fault.SHAPE),
        ({"TotalUsage": True}, Fault.SHAPE),
        ({"TotalQuota": MOST + 1, "TotalCapacity": MOST + 221}, Fault.HUGE),
        ({"ProductCode": "cmapi0255181"}, Fault.NOT_FOUND),
        ({"ProductCode": ...}, Fault.NOT_FOUND),
    ],
)
def test_figures_that_contradict_themselves_are_refused(changed: dict[str, Any], expected: Fault) -> None:
    found = figures([row(**changed)], PRODUCT, "R1")

    assert found == Failure(expected, request_id="R1")


def test_rows_of_other_products_are_not_even_looked_at() -> None:
    broken = row(ProductCode="cmapi1", TotalQuota="?")

    assert figures([broken, SAMPLE, broken], PRODUCT, "") == Figures(220, 318)
    assert figures([broken], PRODUCT, "") == Failure(Fault.NOT_FOUND)


def test_a_row_that_is_told_twice_counts_once_and_one_that_changed_is_refused() -> None:
    assert figures([SAMPLE, dict(SAMPLE)], PRODUCT, "") == Figures(220, 318)
    later = row(TotalQuota=97, TotalUsage=221)
    assert figures([SAMPLE, later], PRODUCT, "") == Failure(Fault.CONTRADICTION)


@given(st.integers(0, MOST), st.integers(0, MOST), st.integers(-MOST, 2 * MOST))
def test_figures_are_accepted_exactly_where_remaining_and_used_make_the_total(used: int, left: int, total: int) -> None:
    found = figures([row(TotalQuota=left, TotalUsage=used, TotalCapacity=total)], PRODUCT, "")

    assert isinstance(found, Figures) is (used + left == total <= MOST)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, "InvalidAccessKeyId.NotFound", Fault.KEY_UNKNOWN),
        (403, "InvalidAccessKeyId.Inactive", Fault.KEY_INACTIVE),
        (400, "SignatureDoesNotMatch", Fault.SIGNATURE),
        (400, "IncompleteSignature", Fault.SIGNATURE),
        (403, "Forbidden.RAM", Fault.FORBIDDEN),
        (403, "NoPermission", Fault.FORBIDDEN),
        (403, "SomethingNew", Fault.FORBIDDEN),
        (400, "Throttling.User", Fault.THROTTLED),
        (429, "", Fault.THROTTLED),
        (400, "InvalidTimeStamp.Expired", Fault.CLOCK),
        (400, "InvalidTimeStamp.Format", Fault.CLOCK),
        (404, "InvalidAction.NotFound", Fault.REQUEST),
        (302, "", Fault.REQUEST),
        (500, "InternalError", Fault.VENDOR),
        (503, "", Fault.VENDOR),
    ],
)
def test_each_refusal_of_the_style_is_told_apart(status: int, code: str, expected: Fault) -> None:
    body = json.dumps({"Code": code, "RequestId": "R2", "Message": "not shown"}).encode()

    assert read_page(status, body) == Failure(expected, code, status, "R2")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", Fault.NOT_JSON), (b"<html>", Fault.NOT_JSON), (b"[]", Fault.NOT_JSON), (b"\xff", Fault.NOT_JSON),
        (b"[" * 100_000, Fault.NOT_JSON),
        (said(SAMPLE, Success=False), Fault.REFUSED), (said(SAMPLE, Code="500"), Fault.REFUSED),
        (said(SAMPLE, Result=None), Fault.SHAPE), (said(SAMPLE, Result={}), Fault.SHAPE), (said(1), Fault.SHAPE),
        (said(SAMPLE, Count="1"), Fault.SHAPE), (said(SAMPLE, Count=-1), Fault.SHAPE),
        (said(SAMPLE, PageSize=True), Fault.SHAPE),
    ],
)  # fmt: skip
def test_what_is_no_answer_of_the_counter_is_refused(body: bytes, expected: Fault) -> None:
    assert fault(200, body) is expected


def test_words_of_the_vendor_that_are_no_codes_are_not_kept() -> None:
    body = json.dumps({"Code": "<b>张三</b>", "RequestId": "x" * 65}).encode()

    assert read_page(400, body) == Failure(Fault.REQUEST, "", 400, "")


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_whatsoever_is_a_crash(status: int, body: bytes) -> None:
    read_page(status, body)
