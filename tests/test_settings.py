"""Settings: every variable with its default, a good value, and bad ones that are named with fault and example."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import certifi
import pytest

from webapp.foundation.limits import Limit, Subject
from webapp.foundation.smtp_url import MailServer, Security
from webapp.settings import SETTINGS, Setting, Settings, SettingsError, read_settings

LIMITS = (
    Limit(Subject.OPERATOR, 60, 60),
    Limit(Subject.OPERATOR, 1500, 86400),
    Limit(Subject.NUMBER, 10, 86400),
    Limit(Subject.NAME, 20, 86400),
)
DEFAULTS: dict[str, Any] = {
    "YULIANG_INSTANCE": Path("instance").absolute(),
    "YULIANG_DATABASE_URL": None,
    "YULIANG_HOST": "127.0.0.1",
    "YULIANG_PORT": 8000,
    "YULIANG_WEB_WORKERS": 2,
    "YULIANG_WEB_THREADS": 8,
    "YULIANG_SECRET_KEY": "",
    "YULIANG_DATA_KEYS": "",
    "YULIANG_INDEX_KEYS": "",
    "YULIANG_AUDIT_KEY": "",
    "YULIANG_VENDOR_URL": "sandbox",
    "YULIANG_APPCODE": None,
    "YULIANG_VENDOR_CONNECT_TIMEOUT": 3.0,
    "YULIANG_VENDOR_READ_TIMEOUT": 10.0,
    "YULIANG_VENDOR_DEADLINE": 20.0,
    "YULIANG_PROXY_URL": None,
    "YULIANG_CA_BUNDLE": None,
    "YULIANG_TRUSTED_PROXIES": 0,
    "YULIANG_LIMITS": LIMITS,
    "YULIANG_DRAW_ORDER": "expiry",
    "YULIANG_METERING_URL": "https://market.aliyuncs.com",
    "YULIANG_ACCESS_KEY_ID": None,
    "YULIANG_ACCESS_KEY_SECRET": None,
    "YULIANG_SMTP_URL": None,
    "YULIANG_MAIL_FROM": None,
    "YULIANG_PUBLIC_URL": None,
    "YULIANG_UNIT_NAME": "",
    "YULIANG_KEEP_IDENTITY": 1096,
    "YULIANG_KEEP_FACTS": 0,
    "YULIANG_KEEP_OUTBOX": 365,
    "YULIANG_KEEP_VIEWS": 365,
    "YULIANG_KEEP_AUDIT": 1096,
    "YULIANG_TIMEZONE": "Asia/Shanghai",
    "YULIANG_LOCALE": "zh_CN",
    "YULIANG_ADMIN_EMAIL": None,
    "YULIANG_ADMIN_PASSWORD": None,
}
CERTIFICATES = certifi.where()
GOOD: list[tuple[str, str, Any]] = [
    ("YULIANG_INSTANCE", "elsewhere", Path("elsewhere").absolute()),
    ("YULIANG_DATABASE_URL", "sqlite:////var/lib/y.db", "sqlite:////var/lib/y.db"),
    ("YULIANG_DATABASE_URL", "postgresql+psycopg://u:p@db/y", "postgresql+psycopg://u:p@db/y"),
    ("YULIANG_HOST", "::1", "::1"),
    ("YULIANG_HOST", "desk.office.example", "desk.office.example"),
    ("YULIANG_PORT", " 65535 ", 65535),
    ("YULIANG_WEB_WORKERS", "64", 64),
    ("YULIANG_WEB_THREADS", "1", 1),
    ("YULIANG_SECRET_KEY", "一把很长很长的钥匙谁也猜不出来的", "一把很长很长的钥匙谁也猜不出来的"),
    ("YULIANG_DATA_KEYS", "k1:AAAA", "k1:AAAA"),  # what is wrong with a key is said when keys are loaded
    ("YULIANG_INDEX_KEYS", "k1:AAAA", "k1:AAAA"),
    ("YULIANG_AUDIT_KEY", "k1:AAAA", "k1:AAAA"),
    ("YULIANG_VENDOR_URL", "https://vendor.example/", "https://vendor.example"),
    ("YULIANG_VENDOR_URL", "http://127.0.0.1:8001", "http://127.0.0.1:8001"),
    ("YULIANG_VENDOR_URL", "http://[::1]:8001", "http://[::1]:8001"),
    ("YULIANG_APPCODE", "0123456789abcdef", "0123456789abcdef"),
    ("YULIANG_VENDOR_CONNECT_TIMEOUT", "0.1", 0.1),
    ("YULIANG_VENDOR_READ_TIMEOUT", "600", 600.0),
    ("YULIANG_VENDOR_DEADLINE", "12.5", 12.5),
    ("YULIANG_PROXY_URL", "http://user:pw@proxy.example:3128", "http://user:pw@proxy.example:3128"),
    ("YULIANG_CA_BUNDLE", CERTIFICATES, Path(CERTIFICATES)),
    ("YULIANG_TRUSTED_PROXIES", "9", 9),
    ("YULIANG_LIMITS", "number=1/hour", (Limit(Subject.NUMBER, 1, 3600),)),
    ("YULIANG_LIMITS", "", ()),
    ("YULIANG_LIMITS", " ", ()),
    ("YULIANG_DRAW_ORDER", "purchase", "purchase"),
    ("YULIANG_METERING_URL", "https://meter.example:81", "https://meter.example:81"),
    ("YULIANG_METERING_URL", "http://127.0.0.1:81/market/", "http://127.0.0.1:81/market"),
    ("YULIANG_ACCESS_KEY_ID", "LTAI", "LTAI"),
    ("YULIANG_ACCESS_KEY_SECRET", "秘密", "秘密"),
    (
        "YULIANG_SMTP_URL",
        "smtp://u:p@mail.example:587?starttls=true",
        MailServer("mail.example", 587, Security.STARTTLS, "u", "p"),
    ),
    ("YULIANG_SMTP_URL", "smtps://mail.example", MailServer("mail.example", 465, Security.TLS, "", "")),
    ("YULIANG_MAIL_FROM", "desk@yuliang.example", "desk@yuliang.example"),
    ("YULIANG_PUBLIC_URL", "https://yuliang.example/", "https://yuliang.example"),
    ("YULIANG_KEEP_IDENTITY", "7", 7),
    ("YULIANG_KEEP_FACTS", "0", 0),
    ("YULIANG_KEEP_FACTS", "1096", 1096),
    ("YULIANG_KEEP_OUTBOX", "30", 30),
    ("YULIANG_KEEP_VIEWS", "30", 30),
    ("YULIANG_KEEP_AUDIT", "184", 184),
    ("YULIANG_UNIT_NAME", " 某某市政务服务中心 ", "某某市政务服务中心"),
    ("YULIANG_TIMEZONE", "America/Sao_Paulo", "America/Sao_Paulo"),
    ("YULIANG_LOCALE", "en", "en"),
    ("YULIANG_ADMIN_EMAIL", "a@b.example", "a@b.example"),
    ("YULIANG_ADMIN_PASSWORD", "correct-horse-9", "correct-horse-9"),
]
BAD: list[tuple[str, str]] = [
    ("YULIANG_INSTANCE", "in\nstance"),
    *(("YULIANG_DATABASE_URL", url) for url in ("mysql://db/y", "y.db", "postgresql://db/y", "sqlite://", "sqlite:///",
                                                 "sqlite:///:memory:", "postgresql+psycopg://u:p@127.0.0.1:xx/y")),
    *(("YULIANG_HOST", host) for host in ("a b", "-.-..", "http://x", "x" * 64, "a\x00", "y.example:80")),
    *(("YULIANG_PORT", port) for port in ("0", "65536", "-1", "8000.0", "eight", "８０００", "1e3", "9" * 5000)),
    *(("YULIANG_WEB_WORKERS", count) for count in ("0", "65", "two")),
    *(("YULIANG_WEB_THREADS", count) for count in ("0", "257", "x")),
    *((f"YULIANG_{key}", "line\nbreak") for key in ("SECRET_KEY", "DATA_KEYS", "INDEX_KEYS", "AUDIT_KEY")),
    *(("YULIANG_VENDOR_URL", url) for url in ("http://vendor.example", "ftp://vendor.example", "vendor.example",
                                               "https://", "https://u:p@vendor.example", "https://vendor.example?a=1",
                                               "https://vendor.example:99999", "https://ven dor.example", "Sandbox",
                                               "https://[::1", "http://127.0.0.1.evil.example")),
    *(("YULIANG_APPCODE", code) for code in ("two words", "编码", "a\nb", "x" * 201)),
    *((f"YULIANG_VENDOR_{which}", value) for which in ("CONNECT_TIMEOUT", "READ_TIMEOUT", "DEADLINE")
      for value in ("0", "0.01", "601", "-1", "nan", "inf", "1e2", "ten", "٣")),
    *(("YULIANG_PROXY_URL", url) for url in ("socks5://proxy.example", "proxy.example:3128")),
    ("YULIANG_CA_BUNDLE", "/nowhere/ca.pem"),
    ("YULIANG_CA_BUNDLE", str(Path(__file__).parent)),
    ("YULIANG_CA_BUNDLE", __file__),
    *(("YULIANG_TRUSTED_PROXIES", count) for count in ("10", "-1", "true")),
    *(("YULIANG_LIMITS", text) for text in ("operator", "operator=0/minute", "operator=1/week", "person=1/day",
                                            "operator=1", "operator=1/minute,number=1/day", "number=1.5/day")),
    *(("YULIANG_DRAW_ORDER", order) for order in ("Expiry", "first", "0")),
    *(("YULIANG_METERING_URL", url) for url in ("market.aliyuncs.com", "https://u:p@market.example",
                                                 "http://market.aliyuncs.com")),
    ("YULIANG_ACCESS_KEY_ID", "a\tb"),
    ("YULIANG_ACCESS_KEY_SECRET", "a\x7fb"),
    *(("YULIANG_SMTP_URL", url) for url in ("mail.example:25", "http://mail.example", "smtp://")),
    *(("YULIANG_MAIL_FROM", mail) for mail in ("desk", "a@b@c", "a b@c", "<a@b>")),
    *(("YULIANG_PUBLIC_URL", url) for url in ("yuliang.example", "javascript:alert(1)", "https://u:p@yuliang.example")),
    *(("YULIANG_KEEP_IDENTITY", days) for days in ("6", "0", "36501", "ever")),
    *(("YULIANG_KEEP_FACTS", days) for days in ("1095", "-1", "00")),
    *(("YULIANG_KEEP_OUTBOX", days) for days in ("29", "0")),
    *(("YULIANG_KEEP_VIEWS", days) for days in ("29", "0")),
    *(("YULIANG_KEEP_AUDIT", days) for days in ("183", "0")),
    *(("YULIANG_UNIT_NAME", name) for name in ("两\n行", "x" * 81)),
    *(("YULIANG_TIMEZONE", zone) for zone in ("Beijing", "UTC+8", "../../etc/passwd", "Asia", "/etc/localtime",
                                              "x" * 5000)),
    *(("YULIANG_LOCALE", locale) for locale in ("zh", "de", "EN")),
    *(("YULIANG_ADMIN_EMAIL", mail) for mail in ("admin", "admin@", "@b")),
    ("YULIANG_ADMIN_PASSWORD", "with\x1bescape"),
]  # fmt: skip
COMPANION = {
    "YULIANG_ADMIN_EMAIL": {"YULIANG_ADMIN_PASSWORD": "x"},
    "YULIANG_ADMIN_PASSWORD": {"YULIANG_ADMIN_EMAIL": "a@b"},
}
SECRET = [setting for setting in SETTINGS if setting.secret]
names = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
secrets = pytest.mark.parametrize("setting", SECRET, ids=lambda setting: setting.name)


def field_of(settings: Settings, name: str) -> Any:
    return getattr(settings, next(setting.field for setting in SETTINGS if setting.name == name))


def refusal(**environ: str) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        read_settings(environ)
    return raised.value


def test_the_lists_below_name_every_setting_once_more() -> None:
    known = {setting.name for setting in SETTINGS}

    assert set(DEFAULTS) == {name for name, *_ in GOOD} == {name for name, _ in BAD} == known


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({})

    assert {setting.name: getattr(settings, setting.field) for setting in SETTINGS} == DEFAULTS
    assert settings.given == frozenset()
    assert settings.database == f"sqlite:///{Path('instance').absolute() / 'yuliang.db'}"
    assert settings.address == "http://127.0.0.1:8000"
    assert settings.zone == ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_a_good_value_is_taken_and_said_to_be_given(name: str, text: str, value: Any) -> None:
    settings = read_settings({name: text} | COMPANION.get(name, {}))

    assert field_of(settings, name) == value
    assert settings.given == {name} | COMPANION.get(name, {}).keys()


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_bad_value_stops_with_variable_fault_and_example(name: str, text: str) -> None:
    error = refusal(**{name: text} | COMPANION.get(name, {}))

    assert error.variable == name
    assert str(error) == f"{name}: {error.fault} Example: {name}={error.example}"
    assert error.fault.endswith(".")
    assert len(str(error).splitlines()) == 1


@secrets
def test_the_fault_of_a_secret_does_not_tell_it(setting: Setting) -> None:
    text = "x://user:pss-pss@host \x1b"  # of use for nothing

    assert "pss-pss" not in str(refusal(**{setting.name: text} | COMPANION.get(setting.name, {})))


@names
def test_the_example_is_a_value_that_is_accepted(setting: Setting) -> None:
    if setting.name == "YULIANG_CA_BUNDLE" and not Path(setting.example).exists():
        with pytest.raises(ValueError, match="does not exist"):
            setting.parse(setting.example)
    else:
        setting.parse(setting.example)


@names
def test_an_empty_variable_is_an_unset_one_but_for_the_limits(setting: Setting) -> None:
    settings = read_settings({setting.name: ""})

    if setting.name == "YULIANG_LIMITS":
        assert settings.limits == ()
    else:
        assert settings == read_settings({})


@secrets
def test_a_secret_is_read_from_the_file_that_its_name_file_names(setting: Setting, tmp_path: Path) -> None:
    _, text, value = next(row for row in GOOD if row[0] == setting.name)
    (tmp_path / "secret").write_text(f"{text}\n", encoding="utf-8")

    more = COMPANION.get(setting.name, {})
    settings = read_settings({f"{setting.name}_FILE": str(tmp_path / "secret")} | more)

    assert getattr(settings, setting.field) == value
    assert setting.name in settings.given


@secrets
def test_a_secret_in_the_environment_and_in_a_file_is_refused(setting: Setting, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")

    error = refusal(**{setting.name: "y", f"{setting.name}_FILE": str(tmp_path / "secret")})

    assert error.variable == setting.name
    assert f"{setting.name}_FILE" in error.fault


def test_an_empty_variable_does_not_stand_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("code")

    assert read_settings({"YULIANG_APPCODE": "", "YULIANG_APPCODE_FILE": str(tmp_path / "secret")}).appcode == "code"
    assert read_settings({"YULIANG_APPCODE": "code", "YULIANG_APPCODE_FILE": ""}).appcode == "code"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe\x00k1"], ids=["missing", "empty", "blank", "bytes"])
def test_a_file_without_a_usable_secret_is_named_never_passed_over(tmp_path: Path, content: bytes | None) -> None:
    """An empty key file must not quietly make new keys."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)

    error = refusal(YULIANG_DATA_KEYS_FILE=str(tmp_path / "secret"))

    assert error.variable == "YULIANG_DATA_KEYS_FILE"
    assert "k1" not in error.fault


def test_what_is_no_secret_is_not_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9000")

    assert read_settings({"YULIANG_PORT_FILE": str(tmp_path / "port")}).port == 8000


def test_a_bad_value_from_a_file_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("two words")

    error = refusal(YULIANG_APPCODE_FILE=str(tmp_path / "secret"))

    assert error.variable == "YULIANG_APPCODE"
    assert "two words" not in str(error)


def test_repr_shows_no_secret() -> None:
    environ = {name: text for name, text, _ in GOOD}  # the last good value of each
    shown = repr(read_settings(environ))

    hidden = {setting.field for setting in SECRET}
    assert [setting.name for setting in SECRET if f"{setting.field}=" in shown] == []
    assert hidden == {f.name for f in dataclasses.fields(Settings) if not f.repr}
    assert "vendor_url='http://[::1]:8001'" in shown


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_settings({}).port = 1  # type: ignore[misc]


def test_a_deadline_may_be_shorter_than_one_wait() -> None:
    assert read_settings({"YULIANG_VENDOR_DEADLINE": "2"}).vendor_deadline == 2, "it cuts every wait"


@pytest.mark.parametrize(
    ("given", "missing"),
    [("YULIANG_ADMIN_EMAIL", "YULIANG_ADMIN_PASSWORD"), ("YULIANG_ADMIN_PASSWORD", "YULIANG_ADMIN_EMAIL")],
)
def test_the_first_admin_needs_mail_address_and_password(given: str, missing: str) -> None:
    assert refusal(**{given: "admin@yuliang.example"}).variable == missing


@pytest.mark.parametrize(
    ("environ", "address"),
    [({"YULIANG_PORT": "81"}, "http://127.0.0.1:81"), ({"YULIANG_HOST": "::1"}, "http://[::1]:8000"),
     ({"YULIANG_HOST": "0.0.0.0"}, "http://localhost:8000"), ({"YULIANG_HOST": "::"}, "http://localhost:8000"),  # noqa: S104
     ({"YULIANG_HOST": "0.0.0.0", "YULIANG_PUBLIC_URL": "https://desk.example/"}, "https://desk.example")],  # noqa: S104
)  # fmt: skip
def test_people_open_the_public_address_else_host_and_port(environ: dict[str, str], address: str) -> None:
    assert read_settings(environ).address == address


def test_variables_of_others_are_not_looked_at() -> None:
    assert read_settings({"HTTPS_PROXY": "http://p.example", "PORT": "1", "YULIANG_NONSENSE": "1"}) == read_settings({})
