"""Where and how the vendor is reached. Pure: no I/O."""

import ipaddress
import math
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from webapp.vendor.contract import PATH


@dataclass(frozen=True, slots=True)
class Route:
    """`url`: the vendor's base URL, https, or http to the own machine. Times in seconds.

    `connect_timeout`: for name, TCP and TLS each; `read_timeout`: longest silence of the vendor; `deadline`:
    for the whole verification, retries and waits included. `proxy_url`: http(s)://[user:password@]host:port,
    used for https only. `ca_bundle`: file or folder of trusted certificates instead of the built-in ones.
    Raises ValueError, naming the fault.
    """

    url: str
    connect_timeout: float = 3
    read_timeout: float = 10
    deadline: float = 20
    proxy_url: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None

    def __post_init__(self) -> None:
        _check_vendor(_split(self.url, "vendor URL"))
        if self.proxy_url is not None:
            _split(self.proxy_url, "proxy URL")
        for name in ("connect_timeout", "read_timeout", "deadline"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds > 0):
                raise ValueError(f"{name} must be a positive number of seconds, not {seconds}")

    @property
    def endpoint(self) -> str:
        """The address that is called."""
        return self.url.rstrip("/").removesuffix(PATH) + PATH

    @property
    def is_tls(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def proxies(self) -> dict[str, str]:
        """By scheme. Plain http never leaves this machine, so it must not be handed to a proxy either."""
        return {"https": self.proxy_url} if self.proxy_url else {}


def _split(url: str, what: str) -> SplitResult:
    # A proxy's URL may hold a password, so no message quotes it.
    try:
        parts = urlsplit(url)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete or any(character <= " " or character > "~" for character in url):
        raise ValueError(f"the {what} must look like https://host or https://host:port")
    return parts


def _check_vendor(parts: SplitResult) -> None:
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the vendor URL must hold no user, query or fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("the vendor URL must be https: http would show names and AppCode to the network")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
