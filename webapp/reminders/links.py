"""Addresses of our pages for mails, which are written where there is no request, and the signed ones among them."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.foundation import runtime
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance

CONFIRM, STOP = "reminder-confirm", "reminder-stop"
CONFIRM_LASTS = timedelta(days=7)


def base() -> str:
    """Where people open the product."""
    instance = this_instance()
    return str(runtime.value("YULIANG_PUBLIC_URL", instance.settings, instance.sealer) or instance.settings.address)


def opens_here_only() -> bool:
    """Whether links in mails lead to the machine on which they are opened, whichever that is."""
    host = urlsplit(base()).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761 6.3
    return address.is_loopback or address.is_unspecified


def page(endpoint: str, **values: Any) -> str:
    """The full address of one of our pages."""
    return base() + current_app.url_map.bind("yuliang").build(endpoint, values)


def confirm_token(mark: str, asked: int) -> str:
    """Proves that its bearer reads the mails to the recipient with this mark; `asked` (a Unix time) makes earlier
    tokens void."""
    return str(_serializer(CONFIRM).dumps([mark, asked]))


def stop_token(mark: str) -> str:
    """Lets its bearer end this one subscription without logging in, however late."""
    return str(_serializer(STOP).dumps([mark, 0]))


def read_token(purpose: str, token: str) -> tuple[str, int] | None:
    """The recipient's mark and the time it was asked; None where the token is not ours, or asks to confirm and is too
    old. One that a clock ahead has written holds: `max_age` of the library would call it void."""
    try:
        (mark, asked), written = _serializer(purpose).loads(token, return_timestamp=True)
    except BadData:
        return None
    if purpose == CONFIRM and utc_now() - written > CONFIRM_LASTS:
        return None
    return str(mark), int(asked)


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=purpose)
