"""One frozen `Settings`, read once from the environment.

Every setting stands in `SETTINGS`, so that README, the settings page and the tests read the same list. A value
that cannot be used stops the start with a `SettingsError` naming its variable. Secrets are also read from the
file that `NAME_FILE` names. Names and defaults are fixed by the interface: rename nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from webapp.foundation import values
from webapp.foundation.limits import Limit, parse_limits
from webapp.foundation.smtp_url import MailServer, parse_smtp_url

SANDBOX = "sandbox"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # what a server listens on, and nobody can open
LOCALES = ("zh_CN", "en")
MOST_DAYS = 36_500
"""That anything is kept, unless for ever."""


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


class Setting(NamedTuple):
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


def vendor_url(text: str) -> str:
    """`sandbox`, or a base URL: https, or http to this machine only. Raises `ValueError`."""
    return text if text == SANDBOX else _secure(text, ", or the word sandbox")


def secure_url(text: str) -> str:
    """A base URL: https, or http to this machine only. Raises `ValueError`."""
    return _secure(text, "")


def _secure(text: str, otherwise: str) -> str:
    url = values.base_url(text)
    parts = urlsplit(url)
    if parts.scheme == "http" and not values.is_loopback(parts.hostname):
        raise ValueError(f"must be https:// (http:// is accepted to this machine only){otherwise}.")
    return url


VENDOR_EXAMPLE = "https://idenauthen.market.alicloudapi.com"

SETTINGS: tuple[Setting, ...] = (
    Setting("YULIANG_INSTANCE", "instance", values.folder, "./instance", "/var/lib/yuliang",
            N_("Folder for the embedded database, generated keys and backups")),
    Setting("YULIANG_DATABASE_URL", "database_url", values.optional(values.database_url), "",
            "postgresql+psycopg://user:pw@host/db",
            N_("SQLite in the instance folder when empty, or a PostgreSQL address"), secret=True),
    Setting("YULIANG_HOST", "host", values.host, "127.0.0.1", "127.0.0.1",
            N_("Address that `yuliang serve` listens on")),
    Setting("YULIANG_PORT", "port", values.whole(1, 65535), "8000", "8000", N_("Port that `yuliang serve` listens on")),
    Setting("YULIANG_WEB_WORKERS", "web_workers", values.whole(1, 64), "2", "2", N_("Web processes")),
    Setting("YULIANG_WEB_THREADS", "web_threads", values.whole(1, 256), "8", "8", N_("Threads of each web process")),
    Setting("YULIANG_SECRET_KEY", "secret_key", values.secret_key, "", "a-long-random-text",
            N_("Signs sessions; generated into the instance folder when empty"), secret=True),
    Setting("YULIANG_DATA_KEYS", "data_keys", values.plain, "", "k1:base64-of-32-bytes",
            N_("Seal personal data: the first seals, all open; generated when empty"), secret=True),
    Setting("YULIANG_INDEX_KEYS", "index_keys", values.plain, "", "k1:base64-of-32-bytes",
            N_("Blind indexes: the first indexes, all search; generated when empty"), secret=True),
    Setting("YULIANG_AUDIT_KEY", "audit_key", values.plain, "", "k1:base64-of-32-bytes",
            N_("Seals the audit trail: the first seals, all verify; generated when empty"), secret=True),
    Setting("YULIANG_VENDOR_URL", "vendor_url", vendor_url, SANDBOX, VENDOR_EXAMPLE,
            N_("Base URL of the vendor; `sandbox` starts the built-in one")),
    Setting("YULIANG_APPCODE", "appcode", values.optional(values.appcode), "", "your-appcode",
            N_("AppCode of the subscription; overrides the one stored on the settings page"),
            secret=True, runtime=True),
    Setting("YULIANG_VENDOR_CONNECT_TIMEOUT", "vendor_connect_timeout", values.seconds, "3", "3",
            N_("Seconds to reach the vendor")),
    Setting("YULIANG_VENDOR_READ_TIMEOUT", "vendor_read_timeout", values.seconds, "10", "10",
            N_("Seconds to wait for each part of the vendor's answer")),
    Setting("YULIANG_VENDOR_DEADLINE", "vendor_deadline", values.seconds, "20", "20",
            N_("Seconds for one verification, retries included")),
    Setting("YULIANG_PROXY_URL", "proxy_url", values.optional(values.url("http", "https")), "", "http://proxy.example:3128",
            N_("Proxy of every outgoing HTTP call but those to this machine; proxy variables of the environment are "
               "not read"), secret=True),
    Setting("YULIANG_CA_BUNDLE", "ca_bundle", values.optional(values.certificates), "",
            "/etc/ssl/certs/ca-certificates.crt",
            N_("Certificates to trust for every outgoing call")),
    Setting("YULIANG_TRUSTED_PROXIES", "trusted_proxies", values.whole(0, 9), "0", "1", N_("Reverse proxies in front")),
    Setting("YULIANG_LIMITS", "limits", parse_limits,
            "operator=60/minute;operator=1500/day;number=10/day;name=20/day", "operator=60/minute;number=10/day",
            N_("Calls per operator and per ID number, distinct numbers per name; empty switches all off")),
    Setting("YULIANG_DRAW_ORDER", "draw_order", values.one_of("expiry", "purchase"), "expiry", "expiry",
            N_("Which lot calls are drawn from first: the one with the earliest `expiry` or `purchase`"), runtime=True),
    Setting("YULIANG_METERING_URL", "metering_url", secure_url, "https://market.aliyuncs.com",
            "https://market.aliyuncs.com", N_("The vendor's own counter")),
    Setting("YULIANG_ACCESS_KEY_ID", "access_key_id", values.optional(values.plain), "", "your-access-key-id",
            N_("AccessKey that may read the vendor's counter"), secret=True, runtime=True),
    Setting("YULIANG_ACCESS_KEY_SECRET", "access_key_secret", values.optional(values.plain), "",
            "your-access-key-secret", N_("Its secret"), secret=True, runtime=True),
    Setting("YULIANG_SMTP_URL", "smtp_url", values.optional(parse_smtp_url), "",
            "smtp://user:pass@mail.example:587?starttls=true",
            N_("Mail server; unset: mails are kept in the outbox page and said so"), secret=True, runtime=True),
    Setting("YULIANG_MAIL_FROM", "mail_from", values.optional(values.mail_address), "", "yuliang@example.com",
            N_("Sender of mails"), runtime=True),
    Setting("YULIANG_PUBLIC_URL", "public_url", values.optional(values.base_url), "", "https://yuliang.example",
            N_("Address in mails' links; from host and port when empty")),
    Setting("YULIANG_UNIT_NAME", "unit_name", values.title, "", "某某市政务服务中心",
            N_("Name of your unit on receipts; a line to fill in by hand when empty"), runtime=True),
    Setting("YULIANG_KEEP_IDENTITY", "keep_identity", values.whole(7, MOST_DAYS), "1096", "365",
            N_("Days that name, number and all else personal of a verification are kept; 7 at least"), runtime=True),
    Setting("YULIANG_KEEP_FACTS", "keep_facts", values.none_or(values.whole(1096, MOST_DAYS)), "0", "1826",
            N_("Days that the fact of a verification is kept; 0: for ever, else 1096 at least"), runtime=True),
    Setting("YULIANG_KEEP_OUTBOX", "keep_outbox", values.whole(30, MOST_DAYS), "365", "180",
            N_("Days that sent and refused messages are kept; 30 at least"), runtime=True),
    Setting("YULIANG_KEEP_VIEWS", "keep_views", values.whole(30, MOST_DAYS), "365", "180",
            N_("Days that a saved view is kept that nobody opens; 30 at least"), runtime=True),
    Setting("YULIANG_KEEP_AUDIT", "keep_audit", values.whole(184, MOST_DAYS), "1096", "365",
            N_("Days that the audit trail is kept; 184 at least"), runtime=True),
    Setting("YULIANG_TIMEZONE", "timezone", values.zone, "Asia/Shanghai", "Asia/Shanghai",
            N_("Reporting time zone of days, months and what people read")),
    Setting("YULIANG_LOCALE", "locale", values.one_of(*LOCALES), "zh_CN", "zh_CN", N_("Fallback language")),
    Setting("YULIANG_ADMIN_EMAIL", "admin_email", values.optional(values.mail_address), "", "admin@example.com",
            N_("First admin on an empty database")),
    Setting("YULIANG_ADMIN_PASSWORD", "admin_password", values.optional(values.plain), "", "a-long-password",
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
    draw_order: str
    metering_url: str
    access_key_id: str | None = field(repr=False)
    access_key_secret: str | None = field(repr=False)
    smtp_url: MailServer | None = field(repr=False)
    mail_from: str | None
    public_url: str | None
    unit_name: str
    keep_identity: int
    keep_facts: int
    keep_outbox: int
    keep_views: int
    keep_audit: int
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
        host = "localhost" if self.host in EVERYWHERE else f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that `environ` and the defaults make. Raises `SettingsError` on the first wrong value."""
    read: dict[str, Any] = {}
    given: set[str] = set()
    for setting in SETTINGS:
        text = _given_text(setting, environ)
        if text is not None:
            given.add(setting.name)
        try:
            read[setting.field] = setting.parse(setting.default if text is None else text)
        except ValueError as error:
            raise SettingsError(setting.name, str(error), setting.example) from error
    settings = Settings(**read, given=frozenset(given))
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
