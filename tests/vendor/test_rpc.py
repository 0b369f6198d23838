"""The signature of Alibaba Cloud's RPC style, against the vector its documents publish, and its encoding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from webapp.vendor import rpc
from webapp.vendor.rpc import AccessKey

PUBLISHED = {
    "Timestamp": "2016-02-23T12:46:24Z",
    "Format": "XML",
    "AccessKeyId": "testid",
    "Action": "DescribeRegions",
    "SignatureMethod": "HMAC-SHA1",
    "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
    "Version": "2014-05-26",
    "SignatureVersion": "1.0",
}
"""The example of the documents: key `testid`, secret `testsecret`."""


def test_the_published_example_has_the_published_signature() -> None:
    assert rpc.signature("GET", PUBLISHED, "testsecret") == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


def test_a_signature_is_not_part_of_what_it_signs() -> None:
    assert rpc.signature("GET", {**PUBLISHED, "Signature": "x"}, "testsecret") == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


@pytest.mark.parametrize(("method", "changed"), [("POST", {}), ("GET", {"Version": "2014-05-27"})])
def test_another_request_has_another_signature(method: str, changed: dict[str, str]) -> None:
    assert rpc.signature(method, {**PUBLISHED, **changed}, "testsecret") != "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


@pytest.mark.parametrize(
    ("text", "encoded"),
    [("a b", "a%20b"), ("*", "%2A"), ("~", "~"), ("-_.", "-_."), ("+", "%2B"), ("/", "%2F"), ("余", "%E4%BD%99"),
     ('"', "%22"), (":", "%3A")],
)  # fmt: skip
def test_only_unreserved_characters_stand_for_themselves(text: str, encoded: str) -> None:
    assert rpc.canonical({"k": text}) == f"k={encoded}"


def test_parameters_are_sorted_by_their_names() -> None:
    assert rpc.canonical({"b": "1", "a": "2", "B": "3"}) == "B=3&a=2&b=1"


def test_a_time_is_signed_in_utc() -> None:
    noon = datetime(2026, 11, 2, 12, 0, 30, 999_999, tzinfo=timezone(timedelta(hours=8)))

    assert rpc.timestamp(noon) == "2026-11-02T04:00:30Z"


def test_the_query_is_whole_and_its_secret_stands_nowhere() -> None:
    key = AccessKey("testid", "testsecret")
    query = rpc.query({"Action": "X"}, key, datetime(2026, 1, 1, tzinfo=UTC), "once", version="2015-11-01")

    names = [pair.split("=")[0] for pair in query.split("&")]
    assert names == sorted(names)
    assert {"Signature", "SignatureNonce", "Timestamp", "AccessKeyId", "Format"} <= set(names)
    assert "testsecret" not in query
    assert "testid" not in repr(key)
    assert "testsecret" not in repr(key)
