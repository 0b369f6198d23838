"""The sandbox over real HTTP: what it answers, to the letter, and what it counts."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import date

import pytest

from tests.vendor.sandbox_talk import (
    ANYBODY,
    API,
    UUID,
    verify,
)
from webapp.vendor.sandbox.scenarios import SCENARIOS, Manner, Scenario, Section
from webapp.vendor.sandbox.server import Sandbox

TODAY = date(2026, 3, 8)
ANSWERED = [s for s in SCENARIOS if s.manner in (Manner.PLAIN, Manner.CHUNKED) and s.first is None]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(today=lambda: TODAY) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.change(quota=None, appcode=None, scenario=None, latency_ms=0)
    running.reset()
    return running


def in_section(section: Section) -> list[Scenario]:
    return [scenario for scenario in ANSWERED if scenario.section is section]


def by_name(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", ANSWERED, ids=by_name)
def test_every_answer_carries_a_request_id_and_is_counted_as_the_table_says(
    sandbox: Sandbox, scenario: Scenario
) -> None:
    heard = verify(sandbox, scenario.name)
    assert UUID.fullmatch(heard.headers["X-Ca-Request-Id"])
    assert "Date" in heard.headers
    counts = sandbox.counts()
    assert (counts.received, counts.answered, counts.charged) == (1, 1, int(scenario.charged))
    assert (heard.status == 200) is scenario.charged


@pytest.mark.parametrize("scenario", in_section(Section.GATEWAY), ids=by_name)
def test_the_gateway_refuses_with_a_code_and_an_empty_body(sandbox: Sandbox, scenario: Scenario) -> None:
    heard = verify(sandbox, scenario.name)
    code = heard.headers["X-Ca-Error-Code"]
    assert re.fullmatch(r"[IABTDXN][45][0-9]{2}[A-Z]{2}", code)
    assert heard.status == int(code[1:4])
    assert heard.headers["Server"].startswith("Kaede/")
    assert heard.headers["Content-Type"] == "application/octet-stream"
    assert heard.headers["Content-Length"] == "0"
    assert heard.headers["X-Ca-Error-Message"]
    assert heard.body == b""


@pytest.mark.parametrize("scenario", in_section(Section.OLDER), ids=by_name)
def test_the_older_gateway_refuses_with_a_message_only(sandbox: Sandbox, scenario: Scenario) -> None:
    heard = verify(sandbox, scenario.name)
    assert "X-Ca-Error-Code" not in heard.headers
    assert heard.headers["Server"] == "Tengine"
    assert heard.headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert heard.headers["Content-Length"] == "0"
    assert heard.headers["X-Ca-Error-Message"]
    assert heard.body == b""


def test_the_recorded_refusals_are_repeated_to_the_letter(sandbox: Sandbox) -> None:
    used_up = verify(sandbox, "演练余量用尽")
    assert used_up.status == 403
    assert used_up.headers["X-Ca-Error-Code"] == "B403MQ"
    assert used_up.headers["X-Ca-Error-Message"] == "Api Market Subscription quota exhausted"
    older = verify(sandbox, "旧网关未订购")
    assert older.status == 403
    assert older.headers["X-Ca-Error-Message"] == "Unauthorized"


def test_the_older_gateways_signature_error_quotes_the_person(sandbox: Sandbox) -> None:
    message = verify(sandbox, "旧网关签名回显").headers["X-Ca-Error-Message"]
    assert message.startswith("Invalid Signature, Server StringToSign:`POST#")
    assert ANYBODY in message


@pytest.mark.parametrize("scenario", in_section(Section.CODES), ids=by_name)
def test_the_manuals_codes_come_with_its_fields(sandbox: Sandbox, scenario: Scenario) -> None:
    heard = verify(sandbox, scenario.name)
    body = heard.json()
    fields = ["name", "idNo", "respMessage", "respCode", "province", "city", "county", "birthday", "sex", "age"]
    assert list(body) == fields
    assert heard.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert (body["name"], body["idNo"], body["respMessage"]) == (scenario.name, ANYBODY, scenario.zh)
    told = [body[field] for field in fields[4:]]
    derived = ["演练省", "演练市", "演练县", "19900308", "F", "36"]
    assert told == (derived if body["respCode"] in ("0000", "0008") else [""] * 6)


@pytest.mark.parametrize("scenario", in_section(Section.BACKEND), ids=by_name)
def test_the_backends_own_errors_carry_no_code_of_the_gateway(sandbox: Sandbox, scenario: Scenario) -> None:
    heard = verify(sandbox, scenario.name)
    assert heard.status >= 300
    assert "X-Ca-Error-Code" not in heard.headers
    assert heard.headers.get("X-Ca-Error-Message", "") in ("", "OK")


def test_an_error_of_the_backend_may_claim_a_match_or_success(sandbox: Sandbox) -> None:
    trap = verify(sandbox, "演练后端报错带结果")
    assert (trap.status, trap.json()["respCode"]) == (500, "0000")
    assert verify(sandbox, "演练后端成功附言").headers["X-Ca-Error-Message"] == "OK"
    assert verify(sandbox, "演练后端空附言").headers["X-Ca-Error-Message"] == ""
    assert verify(sandbox, "演练重定向").headers["Location"] == API


def test_odd_answers_are_odd_in_the_way_they_say(sandbox: Sandbox) -> None:
    assert verify(sandbox, "演练成功附言").headers["X-Ca-Error-Message"] == "OK"
    assert verify(sandbox, "演练纯文本答复").headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert list(verify(sandbox, "演练缺少参考信息").json()) == ["name", "idNo", "respMessage", "respCode"]
    assert [verify(sandbox, f"演练未知编码{digit}").code for digit in "五六九"] == ["0005", "0006", "0009"]
    assert "respCode" not in verify(sandbox, "演练缺少编码").json()
    assert verify(sandbox, "演练编码为空值").json()["respCode"] is None
    assert verify(sandbox, "演练编码为数字").json()["respCode"] == 0
    assert verify(sandbox, "演练数组答复").json() == []
    assert verify(sandbox, "演练空白答复").body == b""
    assert verify(sandbox, "演练网页答复").body.startswith(b"<html>")


def test_bodies_that_cannot_be_read_cannot_be_read(sandbox: Sandbox) -> None:
    with pytest.raises(UnicodeDecodeError):
        verify(sandbox, "演练乱码答复").body.decode()
    with pytest.raises(json.JSONDecodeError):
        verify(sandbox, "演练半截答复").json()
    huge = verify(sandbox, "演练超大答复")
    assert len(huge.body) > 1_000_000
    assert huge.code == "0000"
    inflating = verify(sandbox, "演练压缩膨胀")
    assert len(inflating.body) < 65_536
    assert len(gzip.decompress(inflating.body)) > 4_000_000


def test_request_ids_are_fresh(sandbox: Sandbox) -> None:
    answers = [verify(sandbox, name) for name in ("演练信息匹配", "演练信息匹配", "演练余量用尽", "旧网关未订购")]
    assert len({heard.headers["X-Ca-Request-Id"] for heard in answers}) == 4
