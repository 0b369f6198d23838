"""One frozen `Settings`, read once from the environment.

Every setting stands in `SETTINGS`, so that README, the settings page and the tests read the same list. A value
that cannot be used stops the start with a `SettingsError` naming its variable. Secrets are also read from the
file that `NAME_FILE` names. Names and defaults are fixed by the interface: rename nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.foundation.limits import Limit, parse_limits
from webapp.foundation.smtp_url import MailServer, parse_smtp_url

SANDBOX = "sandbox"
LOCALES = ("zh_CN", "en")
SHORTEST_SECRET = 16


def N_(text: str) -> str:
    """Marks a text for translation; it is translated where it is shown."""
    return text


class SettingsError(Exception):
    """A setting is wrong: `variable`, what is wrong with it, and an example of a right value."""

    def __init__(self, variable: str, fault: str, example: str) -> None:
        super().__init__(f"{variable}: {fault} Example: {variable}={example}")
        self.variable = variable
        self.fault = fault
        self.example = example


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the list: how the variable `name` becomes the field `field` of `Settings`."""

    name: str
    field: str
    parse: Callable[[str], Any]
    default: str
    example: str
    meaning: str
    secret: bool = False
    runtime: bool = False
    """Whether an admin may set it on the settings page (environment, else database, else default)."""


def is_loopback(host: str | None) -> bool:
    """Whether traffic to `host` cannot leave this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}.")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text, re.ASCII) or not 0.1 <= float(text) <= 600:
        raise ValueError("must be seconds from 0.1 to 600.")
    return float(text)


def _text(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("must not hold control characters.")
    return text


def _folder(text: str) -> Path:
    return Path(_text(text)).absolute()


def _secret_key(text: str) -> str:
    if text and len(text) < SHORTEST_SECRET:
        raise ValueError(f"must have at least {SHORTEST_SECRET} characters: who guesses it can log in as anyone.")
    return _text(text)


def _optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: parse(text) if text else None


def _url(*schemes: str) -> Callable[[str], str]:
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


def _base_url(text: str) -> str:
    url = _url("https", "http")(text)
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must not hold a user name, a password or a query.")
    return url


def vendor_url(text: str) -> str:
    """`sandbox`, or a base URL: https, or http to this machine only. Raises `ValueError`."""
    if text == SANDBOX:
        return text
    url = _base_url(text)
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https:// (http:// is accepted to this machine only), or the word sandbox.")
    return url


def _database_url(text: str) -> str:
    if not re.match(r"sqlite:///(?!:memory:)[^?]|postgresql\+psycopg://", text):
        raise ValueError("must start with postgresql+psycopg:// or name a file after sqlite:///.")
    return text


def _host(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", text):
            raise ValueError("must be an IP address or a host name.") from None
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is not a time zone of the IANA database.") from error
    return text


def _one_of(*words: str) -> Callable[[str], str]:
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


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise ValueError("names a file that does not exist.")
    return Path(text)


VENDOR_EXAMPLE = "https://idenauthen.market.alicloudapi.com"

SETTINGS: tuple[Setting, ...] = (
    Setting("YULIANG_INSTANCE", "instance", _folder, "./instance", "/var/lib/yuliang",
            N_("Folder for the embedded database, generated keys and backups")),
    Setting("YULIANG_DATABASE_URL", "database_url", _optional(_database_url), "", "postgresql+psycopg://user:pw@host/db",
            N_("SQLite in the instance folder when empty, or a PostgreSQL address"), secret=True),
    Setting("YULIANG_HOST", "host", _host, "127.0.0.1", "127.0.0.1", N_("Address that `yuliang serve` listens on")),
    Setting("YULIANG_PORT", "port", _whole(1, 65535), "8000", "8000", N_("Port that `yuliang serve` listens on")),
    Setting("YULIANG_WEB_WORKERS", "web_workers", _whole(1, 64), "2", "2", N_("Web processes")),
    Setting("YULIANG_WEB_THREADS", "web_threads", _whole(1, 256), "8", "8", N_("Threads of each web process")),
    Setting("YULIANG_SECRET_KEY", "secret_key", _secret_key, "", "a-long-random-text",
            N_("Signs sessions; generated into the instance folder when empty"), secret=True),
    Setting("YULIANG_DATA_KEYS", "data_keys", _text, "", "k1:base64-of-32-bytes",
            N_("Seal personal data: the first seals, all open; generated when empty"), secret=True),
    Setting("YULIANG_INDEX_KEYS", "index_keys", _text, "", "k1:base64-of-32-bytes",
            N_("Blind indexes: the first indexes, all search; generated when empty"), secret=True),
    Setting("YULIANG_AUDIT_KEY", "audit_key", _text, "", "k1:base64-of-32-bytes",
            N_("Seals the audit trail; generated when empty"), secret=True),
    Setting("YULIANG_VENDOR_URL", "vendor_url", vendor_url, SANDBOX, VENDOR_EXAMPLE,
            N_("Base URL of the vendor; `sandbox` starts the built-in one")),
    Setting("YULIANG_APPCODE", "appcode", _optional(appcode), "", "your-appcode",
            N_("AppCode of the subscription; overrides the one stored on the settings page"),
            secret=True, runtime=True),
    Setting("YULIANG_VENDOR_CONNECT_TIMEOUT", "vendor_connect_timeout", _seconds, "3", "3",
            N_("Seconds to reach the vendor")),
    Setting("YULIANG_VENDOR_READ_TIMEOUT", "vendor_read_timeout", _seconds, "10", "10",
            N_("Seconds to wait for each part of the vendor's answer")),
    Setting("YULIANG_VENDOR_DEADLINE", "vendor_deadline", _seconds, "20", "20",
            N_("Seconds for one verification, retries included")),
    Setting("YULIANG_PROXY_URL", "proxy_url", _optional(_url("http", "https")), "", "http://proxy.example:3128",
            N_("Proxy of every outgoing call; proxy variables of the environment are not read"), secret=True),
    Setting("YULIANG_CA_BUNDLE", "ca_bundle", _optional(_file), "", "/etc/ssl/certs/ca-certificates.crt",
            N_("Certificates to trust for every outgoing call")),
    Setting("YULIANG_TRUSTED_PROXIES", "trusted_proxies", _whole(0, 9), "0", "1", N_("Reverse proxies in front")),
    Setting("YULIANG_LIMITS", "limits", parse_limits,
            "operator=60/minute;operator=1500/day;number=10/day;name=20/day", "operator=60/minute;number=10/day",
            N_("Calls per operator and per ID number, distinct numbers per name; empty switches all off")),
    Setting("YULIANG_METERING_URL", "metering_url", _base_url, "https://market.aliyuncs.com",
            "https://market.aliyuncs.com", N_("The vendor's own counter")),
    Setting("YULIANG_ACCESS_KEY_ID", "access_key_id", _optional(_text), "", "your-access-key-id",
            N_("AccessKey that may read the vendor's counter"), secret=True),
    Setting("YULIANG_ACCESS_KEY_SECRET", "access_key_secret", _optional(_text), "", "your-access-key-secret",
            N_("Its secret"), secret=True),
    Setting("YULIANG_SMTP_URL", "smtp_url", _optional(parse_smtp_url), "",
            "smtp://user:pass@mail.example:587?starttls=true",
            N_("Mail server; unset: mails are kept in the outbox page and said so"), secret=True, runtime=True),
    Setting("YULIANG_MAIL_FROM", "mail_from", _optional(mail_address), "", "yuliang@example.com", N_("Sender of mails"),
            runtime=True),
    Setting("YULIANG_PUBLIC_URL", "public_url", _optional(_base_url), "", "https://yuliang.example",
            N_("Address in mails' links; from host and port when empty"), runtime=True),
    Setting("YULIANG_TIMEZONE", "timezone", _zone, "Asia/Shanghai", "Asia/Shanghai",
            N_("Reporting time zone of days, months and what people read")),
    Setting("YULIANG_LOCALE", "locale", _one_of(*LOCALES), "zh_CN", "zh_CN", N_("Fallback language")),
    Setting("YULIANG_ADMIN_EMAIL", "admin_email", _optional(mail_address), "", "admin@example.com",
            N_("First admin on an empty database")),
    Setting("YULIANG_ADMIN_PASSWORD", "admin_password", _optional(_text), "", "a-long-password",
            N_("The first admin's password"), secret=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, checked. Secrets do not show in `repr`."""

    instance: Path
    database_url: str | None = field(repr=False)
    host: str
    port: int
    web_workers: int
    web_threads: int
    secret_key: str = field(repr=False)
    data_keys: str = field(repr=False)
    index_keys: str = field(repr=False)
    audit_key: str = field(repr=False)
    vendor_url: str
    appcode: str | None = field(repr=False)
    vendor_connect_timeout: float
    vendor_read_timeout: float
    vendor_deadline: float
    proxy_url: str | None = field(repr=False)
    ca_bundle: Path | None
    trusted_proxies: int
    limits: tuple[Limit, ...]
    metering_url: str
    access_key_id: str | None = field(repr=False)
    access_key_secret: str | None = field(repr=False)
    smtp_url: MailServer | None = field(repr=False)
    mail_from: str | None
    public_url: str | None
    timezone: str
    locale: str
    admin_email: str | None
    admin_password: str | None = field(repr=False)
    given: frozenset[str] = frozenset()
    """Names of the variables that the environment fixed."""

    @property
    def zone(self) -> ZoneInfo:
        """The reporting zone."""
        return ZoneInfo(self.timezone)

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL; an SQLite file is named from the present folder on, never from another."""
        prefix = "sqlite:///"
        if self.database_url is None:
            return f"{prefix}{self.instance / 'yuliang.db'}"
        if self.database_url.startswith(prefix):
            return prefix + str(Path(self.database_url.removeprefix(prefix)).absolute())
        return self.database_url

    @property
    def address(self) -> str:
        """Where people open the product."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that `environ` and the defaults make. Raises `SettingsError` on the first wrong value."""
    values: dict[str, Any] = {}
    given: set[str] = set()
    for setting in SETTINGS:
        text = _given_text(setting, environ)
        if text is not None:
            given.add(setting.name)
        try:
            values[setting.field] = setting.parse(setting.default if text is None else text)
        except ValueError as error:
            raise SettingsError(setting.name, str(error), setting.example) from error
    settings = Settings(**values, given=frozenset(given))
    if settings.vendor_deadline < settings.vendor_connect_timeout:
        raise SettingsError("YULIANG_VENDOR_DEADLINE", "must not be shorter than the connect timeout.", "20")
    if bool(settings.admin_email) != bool(settings.admin_password):
        missing = "YULIANG_ADMIN_PASSWORD" if settings.admin_email else "YULIANG_ADMIN_EMAIL"
        raise SettingsError(missing, "is missing: the first admin needs both.", _by_name(missing).example)
    return settings


def _given_text(setting: Setting, environ: Mapping[str, str]) -> str | None:
    """What the environment says; None where it says nothing: an empty variable is an unset one, but for the limits."""
    text = environ[setting.name].strip() if setting.name in environ else None
    path = environ.get(f"{setting.name}_FILE") if setting.secret else None
    if path:
        if text:
            raise SettingsError(setting.name, f"is set beside {setting.name}_FILE: set one.", setting.example)
        return _file_text(f"{setting.name}_FILE", Path(path))
    return text if text or setting.name == "YULIANG_LIMITS" else None


def _file_text(variable: str, path: Path) -> str:
    example = "/run/secrets/name"
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise SettingsError(variable, "names a file that is no UTF-8 text.", example) from None
    except (OSError, ValueError) as error:
        raise SettingsError(variable, f"cannot be read ({error}).", example) from error
    if not text:
        raise SettingsError(variable, "names an empty file.", example)
    return text


def _by_name(name: str) -> Setting:
    return next(setting for setting in SETTINGS if setting.name == name)


assert [s.field for s in SETTINGS] == [f.name for f in fields(Settings)][:-1]  # noqa: S101
