"""A route that is unsafe or none is refused before anything is sent."""

from typing import Any

import pytest

from webapp.vendor.route import Route


@pytest.mark.parametrize(
    "url",
    [
        "http://idenauthen.market.alicloudapi.com",
        "http://127.0.0.1.vendor.test",
        "http://192.168.1.2:8080",
        "http://0.0.0.0:8080",
        "ftp://127.0.0.1",
        "https://",
        "https://user:secret@vendor.test",
        "https://vendor.test/?AppCode=secret",
        "https://vendor.test/#x",
        "https://vendor.test:port",
        "https://vendor.test\r\nX: y",
        "https://[::1",
        "",
    ],
)
def test_a_route_that_is_unsafe_or_no_route_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="vendor URL") as refusal:
        Route(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1"])
def test_plain_http_goes_to_this_machine(url: str) -> None:
    assert Route(url).endpoint == f"{url}/idenAuthentication"


@pytest.mark.parametrize("url", ["https://v.test", "https://v.test/", "https://v.test/idenAuthentication"])
def test_the_path_is_added_once(url: str) -> None:
    assert Route(url).endpoint == "https://v.test/idenAuthentication"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "deadline"])
def test_a_time_that_is_none_is_refused(name: str, seconds: float) -> None:
    times: dict[str, Any] = {name: seconds}
    with pytest.raises(ValueError, match=name):
        Route("https://vendor.test", **times)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "127.0.0.1:3128", "http://u:secret@:80"])
def test_a_proxy_that_is_none_is_refused_without_quoting_its_password(proxy: str) -> None:
    with pytest.raises(ValueError, match="proxy URL") as refusal:
        Route("https://vendor.test", proxy_url=proxy)
    assert "secret" not in str(refusal.value)


def test_a_printed_route_hides_the_proxys_password() -> None:
    assert "secret" not in repr(Route("https://vendor.test", proxy_url="http://u:secret@127.0.0.1:1"))
