"""How the text of a setting becomes its value, one function a kind. Each raises `ValueError`, naming the fault."""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

SHORTEST_SECRET = 16


def is_loopback(host: str | None) -> bool:
    """Whether traffic to `host` cannot leave this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number in these bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}.")
        return int(text)

    return parse


def none_or(parse: Callable[[str], int]) -> Callable[[str], int]:
    """0, or what `parse` takes."""
    return lambda text: 0 if text.strip() == "0" else parse(text)


def seconds(text: str) -> float:
    """Seconds, with up to three decimals."""
    if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text, re.ASCII) or not 0.1 <= float(text) <= 600:
        raise ValueError("must be seconds from 0.1 to 600.")
    return float(text)


def plain(text: str) -> str:
    """Text without control characters."""
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("must not hold control characters.")
    return text


def title(text: str) -> str:
    """One line of at most 80 characters, as it is printed. Raises `ValueError`."""
    if len(text) > 80:
        raise ValueError("must have at most 80 characters.")
    return plain(text)


def folder(text: str) -> Path:
    """A folder, whether it is there or not."""
    return Path(plain(text)).absolute()


def secret_key(text: str) -> str:
    """A key long enough not to be guessed; empty: one is made."""
    if text and len(text) < SHORTEST_SECRET:
        raise ValueError(f"must have at least {SHORTEST_SECRET} characters: who guesses it can log in as anyone.")
    return plain(text)


def optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """As `parse`; None where nothing is written."""
    return lambda text: parse(text) if text else None


def url(*schemes: str) -> Callable[[str], str]:
    """An address of one of these schemes, without a slash at the end."""

    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable or re.search(r"\s", text):
            raise ValueError(f"must be an address starting with {' or '.join(s + '://' for s in schemes)}.")
        return text.rstrip("/")

    return parse


def base_url(text: str) -> str:
    """An http or https address without user, password, query and fragment."""
    address = url("https", "http")(text)
    parts = urlsplit(address)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must not hold a user name, a password or a query.")
    return address


def database_url(text: str) -> str:
    """A database that SQLAlchemy can open and that outlives the process."""
    if not re.match(r"sqlite:///(?!:memory:)[^?]|postgresql\+psycopg://", text):
        raise ValueError("must start with postgresql+psycopg:// or name a file after sqlite:///.")
    try:
        make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("is no database address: host, port or password cannot be read.") from None
    return text


def host(text: str) -> str:
    """An IP address or a host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", text):
            raise ValueError("must be an IP address or a host name.") from None
    return text


def zone(text: str) -> str:
    """The name of a time zone."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is not a time zone of the IANA database.") from error
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}.")
        return text

    return parse


def mail_address(text: str) -> str:
    """A mail address, by its shape. Raises `ValueError`."""
    if not re.fullmatch(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}", text):
        raise ValueError("must be a mail address.")
    return text


def appcode(text: str) -> str:
    """A vendor AppCode: visible ASCII without spaces. Raises `ValueError`."""
    if not re.fullmatch(r"[!-~]{1,200}", text):
        raise ValueError("must be the AppCode itself: visible ASCII, without spaces.")
    return text


def certificates(text: str) -> Path:
    """A file of trusted certificates (PEM) that is there."""
    if not Path(text).is_file():
        raise ValueError("names a file that does not exist.")
    try:
        ssl.create_default_context(cafile=text)
    except OSError:  # an SSLError is one
        raise ValueError("names a file that holds no certificates (PEM), or cannot be read.") from None
    return Path(text)
