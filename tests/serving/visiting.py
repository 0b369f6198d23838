"""A person at a served product: logs in and sends forms over HTTP, with cookies, without a browser."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urlencode

from tests.support.cast import PASSWORD, Member


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


class Visitor:
    """One person's cookies at `address`; `get` and `post` follow redirects and give (status, page)."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._without_redirects = urllib.request.build_opener(_Stay)

    def log_in(self, member: Member) -> None:
        status, page = self.post("/login", email=member.email, password=PASSWORD)
        assert (status, "/logout" in page) == (200, True), page

    def verify(self, person: tuple[str, str]) -> tuple[int, str]:
        """Submits the desk form."""
        return self.post("/verify", name=person[0], id_number=person[1], purpose="1", consent="yes")

    def submit(self, person: tuple[str, str]) -> tuple[int, str]:
        """As `verify`, on a connection of its own and without following: (status, where the result is)."""
        fields = {"name": person[0], "id_number": person[1], "purpose": "1", "consent": "yes"}
        body = urlencode(fields | {"csrf_token": self._token("/verify")}).encode()
        request = urllib.request.Request(f"{self._address}/verify", body)  # noqa: S310 - our own address
        self._cookies.add_cookie_header(request)
        try:
            self._without_redirects.open(request, timeout=60)
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers.get("Location", "")
        raise AssertionError("the desk did not redirect")

    def get(self, path: str) -> tuple[int, str]:
        return self._open(path, None)

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Loads the form's page for its CSRF token, then sends the form."""
        return self._open(path, urlencode(fields | {"csrf_token": self._token(path)}).encode())

    def _token(self, path: str) -> str:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(path)[1])
        assert token is not None
        return token[1]

    def _open(self, path: str, body: bytes | None) -> tuple[int, str]:
        try:
            with self._opener.open(self._address + path, body, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
