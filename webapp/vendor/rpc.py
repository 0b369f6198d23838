"""Alibaba Cloud's RPC style: common parameters and the signature over all of them. Pure: no I/O.

Signature method HMAC-SHA1, version 1.0: the parameters sorted by name, percent-encoded and joined; the method, the
path `/` and that text, encoded once more, are signed with the AccessKey's secret and an ampersand.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Who asks. Neither half is ever printed."""

    id: str = field(repr=False)
    secret: str = field(repr=False)


def canonical(parameters: Mapping[str, str]) -> str:
    """The parameters as they are signed and sent: sorted by name, UTF-8, only letters, digits and `-_.~` unencoded."""
    return "&".join(f"{_encoded(name)}={_encoded(text)}" for name, text in sorted(parameters.items()))


def signature(method: str, parameters: Mapping[str, str], secret: str) -> str:
    """The signature over all parameters but `Signature` itself."""
    signed = {name: text for name, text in parameters.items() if name != "Signature"}
    text = f"{method}&{_encoded('/')}&{_encoded(canonical(signed))}"
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), hashlib.sha1)).decode()


def query(asked: Mapping[str, str], key: AccessKey, now: datetime, nonce: str, *, version: str) -> str:
    """The signed query of a GET request for `asked`, which names the action. `nonce`: never used before."""
    parameters = {
        **asked,
        "Format": "JSON",
        "Version": version,
        "AccessKeyId": key.id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce,
        "Timestamp": timestamp(now),
    }
    return canonical({**parameters, "Signature": signature("GET", parameters, key.secret)})


def timestamp(instant: datetime) -> str:
    """An instant as the style writes it: UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
