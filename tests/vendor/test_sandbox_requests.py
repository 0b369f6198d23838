"""The sandbox's vendor over real HTTP: whom it knows, what it refuses, what it counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.vendor.sandbox_talk import ANYBODY, API, FORM, UUID, ask, connect, form, paid_headers, speak, verify
from webapp.vendor.sandbox.people import MANUAL_PEOPLE, PEOPLE, UNKNOWN_NUMBERS, Person
from webapp.vendor.sandbox.run import Run
from webapp.vendor.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.change(quota=None, appcode=None, scenario=None, latency_ms=0)
    running.reset()
    return running


MANUALS_MATCH = """{
  "name": "张三",
  "idNo": "340421190710145412",
  "respMessage": "身份证信息匹配",
  "respCode": "0000",
  "province": "安徽省",
  "city": "淮南市",
  "county": "凤台县",
  "birthday": "19071014",
  "sex": "M",
  "age": "111"
}"""
MANUALS_MISMATCH = """{
  "name": "李四",
  "idNo": "340421190710145412",
  "respMessage": "身份证信息不匹配",
  "respCode": "0008",
  "province": "安徽省",
  "city": "淮南市",
  "county": "凤台县",
  "birthday": "19071014",
  "sex": "M",
  "age": "111"
}"""


def test_the_manuals_two_answers_are_replayed_to_the_letter(sandbox: Sandbox) -> None:
    assert verify(sandbox, "张三", "340421190710145412").body.decode() == MANUALS_MATCH
    assert verify(sandbox, "李四", "340421190710145412").body.decode() == MANUALS_MISMATCH


def test_the_manuals_request_is_answered_as_any_person_of_the_register(sandbox: Sandbox) -> None:
    body = verify(sandbox, "张三", "340421190210182345").json()
    assert (body["respCode"], body["county"], body["birthday"], body["sex"]) == ("0000", "凤台县", "19021018", "F")
    assert verify(sandbox, "王五", "340421190210182345").code == "0008"


@pytest.mark.parametrize("person", PEOPLE + MANUAL_PEOPLE[1:], ids=lambda person: person.number)
def test_everybody_in_the_register_is_found(sandbox: Sandbox, person: Person) -> None:
    body = verify(sandbox, person.name, person.number).json()
    assert (body["respCode"], body["name"], body["idNo"]) == ("0000", person.name, person.number)
    assert (body["province"], body["city"], body["county"]) == person.place
    assert (body["birthday"], body["sex"]) == (person.birthday, person.sex)
    assert verify(sandbox, "赵钱孙", person.number).code == "0008"


@pytest.mark.parametrize("number", UNKNOWN_NUMBERS)
def test_a_number_of_nobody_is_no_such_number(sandbox: Sandbox, number: str) -> None:
    assert verify(sandbox, "张三", number).code == "0007"


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        ("", ANYBODY, "0001"),
        ("  ", ANYBODY, "0001"),
        ("陈小满", "", "0003"),
        ("", "", "0001"),
        ("陈小满1", ANYBODY, "0002"),
        ("Chen", ANYBODY, "0002"),
        ("陈 小满", ANYBODY, "0002"),
        ("陈小满!", ANYBODY, "0002"),
        ("·陈小满", ANYBODY, "0002"),
        ("陈小满·", ANYBODY, "0002"),
        ("陈\u0000小满", ANYBODY, "0002"),
        ("陈😀", ANYBODY, "0002"),
        ("陈小满", "100101199003080024", "0004"),
        ("陈小满", "10010119900308002", "0004"),
        ("陈小满", "100101900308002", "0004"),
        ("陈小满", "100101199013080023", "0004"),
        ("陈小满", "1001011990030800x3", "0004"),
    ],
)
def test_what_the_backend_will_not_look_up_has_its_code(sandbox: Sandbox, name: str, number: str, code: str) -> None:
    assert verify(sandbox, name, number).code == code
    assert sandbox.counts().charged == 1


def test_a_name_that_was_not_percent_encoded_garbles(sandbox: Sandbox) -> None:
    body = f"idNo={ANYBODY}&name=陈小满".encode()
    assert ask(sandbox, "POST", API, body, paid_headers()).code == "0002"


@pytest.mark.parametrize(
    ("method", "path", "changed", "body", "code"),
    [
        ("POST", "/idenAuthentication/", {}, form("陈小满"), "I404NF"),
        ("POST", "/", {}, form("陈小满"), "I404NF"),
        ("GET", "/favicon.ico", {}, None, "I404NF"),
        ("GET", API, {}, None, "I405UM"),
        ("PUT", API, {}, form("陈小满"), "I405UM"),
        ("BREW", API, {}, form("陈小满"), "I405UM"),
        ("POST", API, {"Host": "other.market.alicloudapi.com"}, form("陈小满"), "I404DO"),
        ("POST", API, {"Authorization": None}, form("陈小满"), "A401AC"),
        ("POST", API, {"Authorization": "APPCODE"}, form("陈小满"), "A401AC"),
        ("POST", API, {"Authorization": "Bearer any"}, form("陈小满"), "A401AC"),
        ("POST", API, {"Authorization": "APPCODE  any"}, form("陈小满"), "A401AC"),
        ("POST", API, {"Authorization": "APPCODE wrong"}, form("陈小满"), "A400AC"),
        ("POST", API, {"Authorization": "APPCODE unsubscribed"}, form("陈小满"), "I403AA"),
        ("POST", API, {"Authorization": "APPCODE expired"}, form("陈小满"), "A403EP"),
        ("POST", API, {"Content-Type": "application/json"}, '{"name": "陈小满"}'.encode(), "I400CT"),
        ("POST", API, {"Content-Type": None}, form("陈小满"), "I400CT"),
        ("POST", API, {}, "name=x", "I400MP"),
        ("POST", API, {}, f"idNo={ANYBODY}", "I400MP"),
        ("POST", f"{API}?{form('陈小满')}", {}, "", "I400MP"),
        ("POST", API, {}, form("陈" * 8000), "I413RL"),
    ],
)
def test_a_wrong_request_stops_at_the_gateway_and_costs_nothing(
    sandbox: Sandbox,
    method: str,
    path: str,
    changed: dict[str, str | None],
    body: bytes | str | None,
    code: str,
) -> None:
    headers = {key: value for key, value in (paid_headers() | changed).items() if value is not None}
    heard = ask(sandbox, method, path, body, headers)
    assert (heard.headers["X-Ca-Error-Code"], heard.status, heard.body) == (code, int(code[1:4]), b"")
    assert UUID.fullmatch(heard.headers["X-Ca-Request-Id"])
    assert sandbox.counts().charged == 0


def test_a_missing_parameter_is_named(sandbox: Sandbox) -> None:
    heard = ask(sandbox, "POST", API, f"idNo={ANYBODY}", paid_headers())
    assert heard.headers["X-Ca-Error-Message"] == "Invalid Parameter Required `name`"


def test_the_vendors_own_host_name_is_served(sandbox: Sandbox) -> None:
    headers = paid_headers() | {"Host": "idenauthen.market.alicloudapi.com"}
    assert ask(sandbox, "POST", API, form("陈小满"), headers).code == "0000"


def test_only_the_configured_appcode_is_accepted(sandbox: Sandbox) -> None:
    sandbox.change(appcode="right")
    assert verify(sandbox, "陈小满", appcode="right").code == "0000"
    assert verify(sandbox, "陈小满", appcode="other").code == "A400AC"


def test_an_appcode_in_the_url_works_and_is_noticed(sandbox: Sandbox) -> None:
    assert ask(sandbox, "POST", f"{API}?AppCode=any", form("陈小满"), {"Content-Type": FORM}).code == "0000"
    assert sandbox.counts().appcode_in_url == 1


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("演练限流两次后答复", ["T429PA", "T429PA", "0000"]),
        ("演练连不上一次后答复", ["D504CO", "0000"]),
        ("演练网关忙一次后答复", ["X503BZ", "0000"]),
        ("演练维护两次后答复", ["0010", "0010", "0000"]),
    ],
)
def test_a_sequence_gets_better_for_each_number_and_starts_over(sandbox: Sandbox, name: str, codes: list[str]) -> None:
    other = PEOPLE[0].number
    assert verify(sandbox, name, other).code == codes[0]
    assert [verify(sandbox, name).code for _ in codes + codes] == codes + codes
    assert verify(sandbox, name, other).code == codes[1]


def test_a_sequence_charges_what_was_http_200(sandbox: Sandbox) -> None:
    for _ in range(3):
        verify(sandbox, "演练限流两次后答复")
    assert sandbox.counts().charged == 1
    for _ in range(3):
        verify(sandbox, "演练维护两次后答复")
    assert sandbox.counts().charged == 4


def test_a_quota_is_spent_then_refused_then_full_again(sandbox: Sandbox) -> None:
    sandbox.change(quota=2)
    codes = [verify(sandbox, name).code for name in ("陈小满", "演练信息不匹配", "陈小满", "演练无此号码")]
    assert codes == ["0000", "0008", "B403MQ", "B403MQ"]
    counts = sandbox.counts()
    assert (counts.quota, counts.remaining, counts.charged) == (2, 0, 2)
    sandbox.reset()
    assert verify(sandbox, "陈小满").code == "0000"
    assert sandbox.counts().remaining == 1


def test_free_answers_leave_the_quota_alone(sandbox: Sandbox) -> None:
    sandbox.change(quota=1)
    assert verify(sandbox, "演练后端报错").status == 500
    assert verify(sandbox, "演练套餐过期").code == "B403ME"
    assert verify(sandbox, "陈小满").code == "0000"
    assert verify(sandbox, "演练套餐过期").code == "B403ME"
    assert verify(sandbox, "演练后端报错").headers["X-Ca-Error-Code"] == "B403MQ"


def test_a_forced_situation_happens_to_everybody(sandbox: Sandbox) -> None:
    sandbox.change(scenario="演练套餐过期")
    assert verify(sandbox, "陈小满").code == "B403ME"
    sandbox.change(scenario=None)
    assert verify(sandbox, "陈小满").code == "0000"


def test_one_connection_serves_many_requests(sandbox: Sandbox) -> None:
    connection = connect(sandbox)
    names = ["陈小满", "演练余量用尽", "旧网关未订购", "演练分块答复", "演练后端报错", "陈小满"]
    answers = []
    for name in names:
        answers.append(speak(connection, "POST", API, form(name), paid_headers()))
        assert connection.sock is not None, "it was closed"
    assert [heard.status for heard in answers] == [200, 403, 403, 200, 500, 200]
    connection.close()


def test_how_often_a_person_was_asked_about_is_known(sandbox: Sandbox) -> None:
    for _ in range(2):
        verify(sandbox, "陈小满")
    verify(sandbox, "演练限流接口")
    assert (sandbox.calls("陈小满", ANYBODY).received, sandbox.calls("陈小满", ANYBODY).charged) == (2, 2)
    assert (sandbox.calls("演练限流接口", ANYBODY).received, sandbox.calls("演练限流接口", ANYBODY).charged) == (1, 0)
    assert sandbox.calls("林知远", ANYBODY).received == 0
    assert (sandbox.counts().people, sandbox.counts().charged_twice) == (2, 1)


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns so often that an unguarded count loses some."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty_threads")
def test_the_books_lose_nothing_where_threads_take_turns_in_the_middle() -> None:
    run = Run()

    def keep_books(thread: int) -> None:
        for _ in range(500):
            run.receive_pair("陈小满", ANYBODY)
            run.admit("陈小满", ANYBODY, charge=True, quota=3000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(keep_books, range(8)))
    assert (run.pair("陈小满", ANYBODY).received, run.pair("陈小满", ANYBODY).charged) == (4000, 3000)
    assert run.counts(3000).remaining == 0


def test_counts_are_exact_under_32_threads(sandbox: Sandbox) -> None:
    sandbox.change(quota=500)

    def twenty(thread: int) -> list[str]:
        connection = connect(sandbox)
        try:
            return [
                speak(connection, "POST", API, form("陈小满", f"{thread if call < 10 else 99}"), paid_headers()).code
                for call in range(20)
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(32) as threads:
        codes = [code for found in threads.map(twenty, range(32)) for code in found]
    counts = sandbox.counts()
    assert (codes.count("0004"), codes.count("B403MQ")) == (500, 140)
    assert (counts.received, counts.answered, counts.charged, counts.people) == (640, 640, 500, 33)
    assert sandbox.calls("陈小满", "99").received == 320
    assert counts.by_code == {"0004": 500, "B403MQ": 140}
