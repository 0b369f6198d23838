"""Pure: how a mail server is written (`YULIANG_SMTP_URL`), read and written."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote, urlsplit


class Security(StrEnum):
    """How the connection is protected. Nothing is ever chosen silently: what is asked for is done, or it fails."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed over. The password does not show in `repr`."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)

    def url(self) -> str:
        """The text that `parse_smtp_url` reads."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "smtps" if self.security == Security.TLS else "smtp"
        return f"{scheme}://{login}{host}:{self.port}{'?starttls=true' if self.security == Security.STARTTLS else ''}"


def parse_smtp_url(text: str) -> MailServer:
    """Reads `smtp://user:pass@host:port`, `smtp://…?starttls=true` or `smtps://…`. Raises `ValueError`."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("smtp", "smtps") or any(c.isspace() or ord(c) < 32 for c in text):
        raise ValueError("must be an address starting with smtp:// or smtps://.")
    if port == 0 or parts.path.strip("/") or parts.fragment:
        raise ValueError("must hold a host, a port from 1 to 65535, and no path.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    starttls = options.pop("starttls", "false").lower()
    if options or starttls not in ("true", "false") or (parts.scheme == "smtps" and starttls == "true"):
        raise ValueError("takes one option, ?starttls=true, and only with smtp://.")
    secure = Security.TLS if parts.scheme == "smtps" else Security.STARTTLS if starttls == "true" else Security.NONE
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(host, port or PORTS[secure], secure, user, password)
