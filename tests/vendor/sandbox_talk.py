"""Talks to a sandbox in plain HTTP and in bytes: no client of ours in between."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from webapp.vendor.sandbox.server import Sandbox

UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
API = "/idenAuthentication"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
ANYBODY = "100101199003080023"
PATIENT = 5.0
IMPATIENT = 0.2
"""Seconds: what must come, comes long before; what must not come, is not waited for longer."""


@dataclass(frozen=True)
class Heard:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The gateway's code, else the backend's respCode."""
        return self.headers.get("X-Ca-Error-Code") or str(self.json()["respCode"])

    def json(self) -> Any:
        return json.loads(self.body)


def connect(sandbox: Sandbox, timeout: float = PATIENT) -> http.client.HTTPConnection:
    host, _, port = sandbox.url.removeprefix("http://").rpartition(":")
    return http.client.HTTPConnection(host, int(port), timeout=timeout)


def speak(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Heard:
    connection.request(method, path, body, dict(headers or {}))
    with connection.getresponse() as response:
        return Heard(response.status, dict(response.getheaders()), response.read())


def ask(
    sandbox: Sandbox,
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = PATIENT,
) -> Heard:
    """One request on a connection of its own."""
    connection = connect(sandbox, timeout)
    try:
        return speak(connection, method, path, body, headers)
    finally:
        connection.close()


def verify(
    sandbox: Sandbox, name: str, number: str = ANYBODY, *, appcode: str = "any", timeout: float = PATIENT
) -> Heard:
    """One verification as the vendor's manual asks for it."""
    return ask(sandbox, "POST", API, form(name, number), paid_headers(appcode), timeout=timeout)


def form(name: str, number: str = ANYBODY) -> str:
    return urlencode({"idNo": number, "name": name})


def paid_headers(appcode: str = "any") -> dict[str, str]:
    return {"Authorization": f"APPCODE {appcode}", "Content-Type": FORM}


def request_bytes(name: str, number: str = ANYBODY) -> bytes:
    """The same verification as bytes for a socket."""
    body = form(name, number)
    head = f"POST {API} HTTP/1.1\r\nHost: localhost\r\nAuthorization: APPCODE any\r\nContent-Type: {FORM}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode("ascii")


def open_socket(sandbox: Sandbox, sent: bytes, timeout: float = PATIENT) -> socket.socket:
    host, _, port = sandbox.url.removeprefix("http://").rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=timeout)
    connection.sendall(sent)
    return connection


def read_to_end(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)
