"""The counter's client over real HTTP: what the sandbox says and how it misbehaves, each told by its own word."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.vendor.certificates import HOST, Identity
from tests.vendor.scripted import ScriptedVendor, answer, http, part, reset, trickle
from webapp.foundation.clock import utc_now
from webapp.vendor.metering_answer import Failure, Fault, Figures
from webapp.vendor.metering_client import MOST_PAGES, PRODUCT, MeteringClient
from webapp.vendor.route import Route
from webapp.vendor.rpc import AccessKey, query
from webapp.vendor.sandbox import meter
from webapp.vendor.sandbox.meter import KEY as SANDBOX_KEY
from webapp.vendor.sandbox.meter_scenarios import MeterScenario
from webapp.vendor.sandbox.server import Sandbox

KEY = AccessKey(*SANDBOX_KEY)
ROW = {"ProductCode": PRODUCT, "TotalQuota": 98, "TotalUsage": 220, "TotalCapacity": 318}
GOOD = http(200, {}, json.dumps({"Count": 1, "PageSize": 20, "Result": [ROW], "RequestId": "R"}).encode())


def read(url: str, key: AccessKey = KEY, now: datetime | None = None, **route: Any) -> Figures | Failure:
    client = MeteringClient(Route(url, **route))
    try:
        return client.read(key, now or utc_now())
    finally:
        client.close()


def fault(found: Figures | Failure) -> Fault:
    assert isinstance(found, Failure), found
    return found.fault


def spend(sandbox: Sandbox, calls: int) -> None:
    """Calls that the vendor charges."""
    for _ in range(calls):
        requests.post(
            f"{sandbox.url}/idenAuthentication", {"name": "张三", "idNo": "11010519491231002X"}, timeout=10,
            headers={"Authorization": "APPCODE any"},
        ).raise_for_status()  # fmt: skip


def test_the_counter_knows_the_calls_that_were_charged(sandbox: Sandbox) -> None:
    sandbox.change(quota=100)
    spend(sandbox, 3)

    found = read(sandbox.metering_url)

    assert isinstance(found, Figures)
    assert (found.used, found.remaining, found.total) == (3, 97, 100)
    assert found.request_id


def test_calls_made_elsewhere_use_the_same_quota(sandbox: Sandbox) -> None:
    sandbox.change(quota=10, elsewhere=9)
    spend(sandbox, 1)

    assert read(sandbox.metering_url).used == 10  # type: ignore[union-attr]
    assert sandbox.counts().remaining == 0
    refused = requests.post(f"{sandbox.url}/idenAuthentication", {"name": "张三", "idNo": "11010519491231002X"},
                            headers={"Authorization": "APPCODE any"}, timeout=10)  # fmt: skip
    assert refused.headers["X-Ca-Error-Code"] == "B403MQ"


@pytest.mark.parametrize(("lag", "seen"), [({"meter_lag_calls": 2}, 3), ({"meter_lag_calls": 9}, 0),
                                           ({"meter_lag_seconds": 600}, 0), ({}, 5)])  # fmt: skip
def test_a_counter_that_lags_knows_the_newest_calls_later(sandbox: Sandbox, lag: dict[str, int], seen: int) -> None:
    spend(sandbox, 5)
    sandbox.change(**lag)

    assert read(sandbox.metering_url).used == seen  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_all_pages_are_read_and_other_products_passed_by(sandbox: Sandbox, size: int) -> None:
    sandbox.change(elsewhere=7, bought=1000, meter_scenario=MeterScenario.OTHER_PRODUCTS, meter_page_size=size)

    assert read(sandbox.metering_url) == Figures(7, 1000, meter._REQUEST_ID)
    assert sandbox.counts().metered == -(-4 // size)


@pytest.mark.parametrize(
    ("scenario", "expected", "code"),
    [
        (MeterScenario.ONLY_OTHERS, Fault.NOT_FOUND, ""),
        (MeterScenario.WRONG_INVARIANT, Fault.INVARIANT, ""),
        (MeterScenario.NEGATIVE, Fault.NEGATIVE, ""),
        (MeterScenario.HUGE_FIGURE, Fault.HUGE, ""),
        (MeterScenario.MISSING_FIGURE, Fault.SHAPE, ""),
        (MeterScenario.TEXT_FIGURE, Fault.SHAPE, ""),
        (MeterScenario.CONTRADICTION, Fault.CONTRADICTION, ""),
        (MeterScenario.THROTTLED, Fault.THROTTLED, "Throttling.User"),
        (MeterScenario.FORBIDDEN, Fault.FORBIDDEN, "Forbidden.RAM"),
        (MeterScenario.INACTIVE_KEY, Fault.KEY_INACTIVE, "InvalidAccessKeyId.Inactive"),
        (MeterScenario.INTERNAL_ERROR, Fault.VENDOR, "InternalError"),
        (MeterScenario.UNAVAILABLE, Fault.VENDOR, ""),
        (MeterScenario.REDIRECT, Fault.REQUEST, ""),
        (MeterScenario.NOT_JSON, Fault.NOT_JSON, ""),
        (MeterScenario.NOT_SUCCESS, Fault.REFUSED, "500"),
        (MeterScenario.TOO_LARGE, Fault.TOO_LARGE, ""),
    ],
)
def test_each_misbehaviour_is_told_by_its_own_word(
    sandbox: Sandbox, scenario: MeterScenario, expected: Fault, code: str
) -> None:
    sandbox.change(elsewhere=5, meter_scenario=scenario)

    found = read(sandbox.metering_url)

    assert (fault(found), found.code) == (expected, code)  # type: ignore[union-attr]


def test_pages_without_end_are_left_at_some_point(sandbox: Sandbox) -> None:
    sandbox.change(meter_scenario=MeterScenario.ENDLESS_PAGES)

    assert fault(read(sandbox.metering_url)) is Fault.PAGES
    assert sandbox.counts().metered == MOST_PAGES


def test_no_answer_is_waited_for_as_long_as_the_route_says(sandbox: Sandbox) -> None:
    sandbox.change(meter_scenario=MeterScenario.NO_ANSWER)
    began = time.monotonic()

    assert fault(read(sandbox.metering_url, read_timeout=0.2)) is Fault.NO_ANSWER
    assert time.monotonic() - began < 9


@pytest.mark.parametrize(
    ("key", "expected", "code"),
    [
        (AccessKey("nobody", KEY.secret), Fault.KEY_UNKNOWN, "InvalidAccessKeyId.NotFound"),
        (AccessKey(KEY.id, "wrong"), Fault.SIGNATURE, "SignatureDoesNotMatch"),
        (AccessKey(KEY.id, "密"), Fault.SIGNATURE, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_key_is_told_from_a_wrong_secret(sandbox: Sandbox, key: AccessKey, expected: Fault, code: str) -> None:
    found = read(sandbox.metering_url, key)

    assert found == Failure(expected, code, found.http_status, meter._REQUEST_ID)  # type: ignore[union-attr]


@pytest.mark.parametrize(("minutes", "accepted"), [(-16, False), (-14, True), (14, True), (16, False)])
def test_a_clock_that_is_off_by_more_than_a_quarter_of_an_hour_is_told(
    sandbox: Sandbox, minutes: int, accepted: bool
) -> None:
    found = read(sandbox.metering_url, now=utc_now() + timedelta(minutes=minutes))

    assert isinstance(found, Figures) is accepted
    if isinstance(found, Failure):
        assert (found.fault, found.code) == (Fault.CLOCK, "InvalidTimeStamp.Expired")


def test_the_vendor_s_own_clock_may_be_wrong_too(sandbox: Sandbox) -> None:
    sandbox.change(meter_clock_seconds=-3600)

    assert fault(read(sandbox.metering_url)) is Fault.CLOCK


def test_a_signed_request_is_good_once(sandbox: Sandbox) -> None:
    asked = {"Action": "DescribeApiMetering", "pageNum": "1"}
    url = f"{sandbox.metering_url}/?{query(asked, KEY, utc_now(), 'once', version='2015-11-01')}"

    assert requests.get(url, timeout=10).status_code == 200
    again = requests.get(url, timeout=10)
    assert (again.status_code, again.json()["Code"]) == (400, "SignatureNonceUsed")


@pytest.mark.parametrize(
    ("asked", "code"),
    [({"Action": "DescribeInstances", "pageNum": "1"}, "InvalidAction.NotFound"),
     ({"Action": "DescribeApiMetering"}, "MissingPageNum"),
     ({"Action": "DescribeApiMetering", "pageNum": "0"}, "MissingPageNum")],
)  # fmt: skip
def test_the_sandbox_takes_no_other_request(sandbox: Sandbox, asked: dict[str, str], code: str) -> None:
    url = f"{sandbox.metering_url}?{query(asked, KEY, utc_now(), 'n', version='2015-11-01')}"

    assert requests.get(url, timeout=10).json()["Code"] == code
    assert requests.get(f"{sandbox.metering_url}/", timeout=10).json()["Code"] == "MissingAccessKeyId"


def test_the_request_names_product_type_and_page_and_nothing_of_the_secret() -> None:
    with ScriptedVendor(answer(GOOD)) as vendor:
        assert read(vendor.url) == Figures(220, 318, "R")

    [request] = vendor.received
    method, target, _ = request.line.split(" ")
    sent = dict(parse_qsl(urlsplit(target).query))
    assert (method, urlsplit(target).path) == ("GET", "/")
    assert {name: sent[name] for name in ("Action", "Version", "productCode", "type", "pageNum", "Format")} == {
        "Action": "DescribeApiMetering", "Version": "2015-11-01", "productCode": "cmapi025518", "type": "1",
        "pageNum": "1", "Format": "JSON",
    }  # fmt: skip
    assert KEY.secret not in request.head.decode()
    assert "cookie" not in request.headers


def test_each_page_is_asked_for_with_a_number_never_used_before() -> None:
    one = {"Count": 2, "PageSize": 1, "Result": [ROW]}
    page = http(200, {}, json.dumps(one).encode())
    with ScriptedVendor(answer(page)) as vendor:
        assert read(vendor.url) == Figures(220, 318)

    sent = [dict(parse_qsl(urlsplit(request.line.split(" ")[1]).query)) for request in vendor.received]
    assert [one["pageNum"] for one in sent] == ["1", "2"]
    assert len({one["SignatureNonce"] for one in sent}) == 2


def test_a_page_that_is_empty_too_early_is_told() -> None:
    empty = http(200, {}, json.dumps({"Count": 5, "PageSize": 20, "Result": []}).encode())
    with ScriptedVendor(answer(empty)) as vendor:
        assert fault(read(vendor.url)) is Fault.PAGES


@pytest.mark.parametrize("script", [reset, part(b""), part(GOOD[:-5]), part(b"nonsense\r\n\r\n")])
def test_an_answer_that_breaks_off_is_no_answer(script: Callable[..., bool]) -> None:
    with ScriptedVendor(script) as vendor:
        assert fault(read(vendor.url)) is Fault.NO_ANSWER


def test_the_deadline_holds_over_all_pages_and_against_a_trickle() -> None:
    with ScriptedVendor(trickle(GOOD, every=0.5)) as vendor:
        began = time.monotonic()
        assert fault(read(vendor.url, deadline=0.3)) is Fault.NO_ANSWER
    assert time.monotonic() - began < 20


def test_nobody_there_is_the_networks_and_so_is_a_certificate_nobody_vouches_for(
    closed_port: int, identity: Identity
) -> None:
    assert fault(read(f"http://127.0.0.1:{closed_port}")) is Fault.NETWORK
    with ScriptedVendor(answer(GOOD), tls=identity.server) as vendor:
        assert fault(read(vendor.url)) is Fault.NETWORK
        assert read(vendor.url, ca_bundle=str(identity.bundle)) == Figures(220, 318, "R")
        assert len(vendor.received) == 1


def test_https_goes_through_the_proxy_of_the_settings_and_this_machine_never(identity: Identity) -> None:
    with ScriptedVendor(answer(GOOD), tunnel=identity.server) as proxy, ScriptedVendor(answer(GOOD)) as vendor:
        through = f"http://user:pw@127.0.0.1:{proxy.port}"
        assert read(f"https://{HOST}", proxy_url=through, ca_bundle=str(identity.bundle)) == Figures(220, 318, "R")
        assert proxy.received[0].line.startswith(f"CONNECT {HOST}:443 ")
        assert KEY.id not in proxy.received[0].head.decode()
        assert read(vendor.url, proxy_url=through) == Figures(220, 318, "R")
    assert proxy.connections == 1


@pytest.mark.parametrize("url", ["http://market.example", "https://u:p@market.example", "market.example"])
def test_only_https_or_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match="vendor URL"):
        read(url)
