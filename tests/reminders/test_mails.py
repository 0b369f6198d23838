"""The words of the mails: as the glossary has them, in both languages, with nothing personal and nothing from afar."""

from __future__ import annotations

import re
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, current_app
from PIL import Image
from sqlalchemy import update

from tests.conftest import MakeApp
from tests.notify.servers import mail_server
from tests.reminders.mailing import count_used, html_of, mail_of, scene_expiry, scene_low, text_of, used_each_day
from tests.reminders.story import TODAY, add_confirmed, buy, messages, review, subscribe, use
from tests.support.cast import ADMIN, AUDITOR, NOW
from webapp.accounts.models import User
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify import sending
from webapp.notify.channels.mail import envelope_bytes
from webapp.notify.composing import compose
from webapp.quota.catalogue import CATALOGUE
from webapp.quota.models import Lot
from webapp.reminders import mails, queries
from webapp.reminders.buying import advice
from webapp.reminders.picture import BAR, HEIGHT, LEFT, RIGHT, WIDTH, usage_picture

pytestmark = pytest.mark.usefixtures("context")


def test_the_low_mail_begins_as_the_glossary_has_it() -> None:
    scene_low(remaining=1842, total=10000, calls_a_day=300)

    mail = mail_of("zh_CN")

    assert mail["Subject"] == "[余量] 仅剩 18%：1,842/10,000 次，预计 11月8日前后用完"
    assert text_of(mail).splitlines()[0] == (
        "全部有效套餐剩余 1,842 次，已达 20% 提醒线。按近期用量约可用 6 天（5–7 天）。"
        "请在 11月6日前续购；AppCode 不变。"
    )


def test_the_expiry_mail_begins_as_the_glossary_has_it() -> None:
    scene_expiry(left=2140, elsewhere=500, calls_a_day=120, order="A-1")

    mail = mail_of("zh_CN")

    assert mail["Subject"] == "[余量] 套餐 7 天后到期：2,140 次将作废（11月9日）"
    assert text_of(mail).splitlines()[0] == (
        "订单 A-1 的套餐于 11月9日到期，尚余 2,140 次，预计 1,180 次用不完。到期后其他套餐可用 500 次。"
    )


def test_what_ends_before_or_on_the_same_day_is_not_promised_for_after_it() -> None:
    subscribe()
    buy(100, ends=TODAY + timedelta(days=7), order="A-1")
    review()
    buy(30, ends=TODAY + timedelta(days=7))
    buy(20, ends=TODAY + timedelta(days=5))
    buy(500, ends=TODAY + timedelta(days=8))

    assert "到期后其他套餐可用 500 次。" in text_of(mail_of("zh_CN"))


@pytest.mark.parametrize(
    ("locale", "words"), [("zh_CN", "尚无一整天的用量，"), ("en", "No whole day has been counted")]
)
def test_on_the_first_day_the_mail_does_not_deny_the_use_that_it_shows(locale: str, words: str) -> None:
    subscribe()
    used_each_day(0, today_too=8)
    lot = buy(10)
    with transaction() as session:
        session.execute(update(Lot).where(Lot.id == lot).values(available=2, charged=8))
    review()

    text = text_of(mail_of(locale))

    assert words in text
    assert ("近期没有用量" in text, "no recent use" in text) == (False, False)


def test_figures_of_episodes_whose_mails_come_by_turns_are_read_once_each() -> None:
    subscribe()
    buy(10, ends=TODAY + timedelta(days=7))
    use(9)
    review()
    low, expiry = messages()
    kept = current_app.extensions["reminder figures"]
    first = [compose(one, NOW) and id(kept[one.params["episode"]]) for one in (low, expiry)]

    assert [compose(one, NOW) and id(kept[one.params["episode"]]) for one in (low, expiry)] == first
    for number in range(20):
        kept[100 + number] = kept[low.params["episode"]]
    kept.pop(low.params["episode"])
    compose(low, NOW)
    assert len(kept) <= 8


def faulty(*_arguments: object, **_values: object) -> Any:
    raise KeyError("no figure fills this")


BREAK: dict[str, tuple[object, str]] = {
    "a template of one language": (mails, "_fill"),
    "the picture": (mails, "usage_picture"),
    "the figures": (queries, "outlook"),
}


@pytest.mark.parametrize("broken", BREAK)
@pytest.mark.parametrize("locale", ["zh_CN", "en"])
@pytest.mark.parametrize("scene", ["low", "expiry"])
def test_a_reminder_that_cannot_be_written_in_full_goes_out_in_short_form(
    monkeypatch: pytest.MonkeyPatch, broken: str, locale: str, scene: str
) -> None:
    if scene == "low":
        scene_low(remaining=1842, total=10000, calls_a_day=300)
    else:
        scene_expiry(left=2140, elsewhere=500, calls_a_day=120, order="<b>A</b>")
    [message] = messages()[:1]
    db.session.expunge(message)
    message.locale = locale
    monkeypatch.setattr(*BREAK[broken], faulty)

    content = compose(message, NOW)

    subjects = {
        ("low", "zh_CN"): "[余量] 仅剩 1,842/10,000 次", ("low", "en"): "[Yuliang] 1,842 of 10,000 calls are left",
        ("expiry", "zh_CN"): "[余量] 2,140 次将于 11月9日到期", ("expiry", "en"): "[Yuliang] 2,140 calls end on Nov 9",
    }  # fmt: skip
    assert content.subject == subjects[scene, locale]
    assert content.flaw == "KeyError: 'no figure fills this'"
    for words in (content.text, content.html):
        assert "https://market.console.aliyun.com/imageconsole/index.htm" in words
        assert "http://127.0.0.1:8000/reminders/stop/" in words
        assert "AppCode" in words
        assert "%(" not in words
    assert content.secrets[0] not in content.record()
    assert envelope_bytes(content, "yuliang@here.test", ADMIN.email, "<id@here.test>", NOW)


def test_the_same_mails_in_english() -> None:
    scene_low(remaining=1842, total=10000, calls_a_day=300)
    low = mail_of("en")
    assert low["Subject"] == "[Yuliang] 18% left: 1,842/10,000 calls, used up around Nov 8"
    assert text_of(low).startswith(
        "All valid lots together have 1,842 calls left: the 20% line is reached. At the recent rate they last about "
        "6 days (5–7 days). Please buy by Nov 6; the AppCode stays the same.\n"
    )


@pytest.mark.parametrize(
    ("remaining", "subject"),
    [
        (0, "[余量] 已用完：0/10,000 次"),
        (42, "[余量] 剩余不足 1%：42/10,000 次"),
        (2000, "[余量] 仅剩 20%：2,000/10,000 次"),
    ],
)
def test_the_share_is_never_rounded_up_and_nothing_is_called_nothing(remaining: int, subject: str) -> None:
    scene_low(remaining=remaining, total=10000, calls_a_day=0)

    assert mail_of("zh_CN")["Subject"] == subject


@pytest.mark.parametrize(
    ("days", "subject"),
    [(0, "[余量] 套餐 7 天后到期：100 次将作废（11月9日）"), (6, "[余量] 套餐 1 天后到期：100 次将作废（11月9日）"),
     (7, "[余量] 套餐今天到期：100 次将作废（11月9日）"), (9, "[余量] 套餐已于 11月9日到期：100 次已作废")],
)  # fmt: skip
def test_the_expiry_mail_tells_the_days_that_are_left_when_it_goes_out(days: int, subject: str) -> None:
    scene_expiry(left=100, elsewhere=0, calls_a_day=0, order="A-1")

    assert mail_of("zh_CN", NOW + timedelta(days=days))["Subject"] == subject


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh_CN", "全部有效套餐剩余 30 次：曾达 20% 提醒线，目前已回到线上。"),
        (
            "en",
            "All valid lots together have 30 calls left: the 20% line was reached, and by now they are above it again.",
        ),
    ],
)
def test_calls_that_are_above_the_line_again_are_not_said_to_be_under_it(
    monkeypatch: pytest.MonkeyPatch, locale: str, words: str, broken: bool
) -> None:
    """Calls that were held and are released arm nothing: the episode stands."""
    scene_low(remaining=20, total=100, calls_a_day=3)
    with transaction() as session:
        session.execute(update(Lot).values(available=30, charged=70))
    if broken:
        monkeypatch.setattr(mails, "usage_picture", faulty)

    assert text_of(mail_of(locale)).startswith(words)


def test_on_a_young_instance_the_advice_is_of_the_rate_that_the_forecast_sees() -> None:
    """Five whole days of 100 calls: a lot of 30,000 lasts 300 days, and not for years."""
    subscribe()
    for back in range(1, 6):
        count_used(back, 100)
    lot = buy(1000)
    with transaction() as session:
        session.execute(update(Lot).where(Lot.id == lot).values(available=150, charged=850))
    review()

    outlook = queries.outlook(NOW, this_instance().settings.zone)

    assert 60 < outlook.calls_a_day < 140
    advised = re.search(r"calls \(¥[\d,.]+\) last about (\d+) days", text_of(mail_of("en")))
    assert advised is not None
    assert int(advised[1]) > 180
    assert advice(CATALOGUE, outlook.calls_a_day) != advice(CATALOGUE, 500 / 29)


def test_two_lots_of_one_day_are_both_named() -> None:
    subscribe()
    for order in ("A-1", ""):
        buy(100, ends=TODAY + timedelta(days=7), order=order)
    review()

    assert text_of(mail_of("zh_CN")).startswith("订单 A-1 的套餐、套餐包 #2 于 11月9日到期，尚余 200 次")


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
@pytest.mark.parametrize("scene", ["low", "expiry"])
def test_a_mail_is_whole(scene: str, locale: str) -> None:
    """Why, the picture with its words, what to buy and where, who else was told, links; small; nothing from afar."""
    add_confirmed("boss@outside.test")
    subscribe(AUDITOR)
    if scene == "low":
        scene_low(remaining=1842, total=10000, calls_a_day=300)
    else:
        scene_expiry(left=2140, elsewhere=500, calls_a_day=120, order="A-1")

    mail = mail_of(locale, to=ADMIN.email)

    html, text = html_of(mail), text_of(mail)
    assert len(mail.as_bytes()) < 60_000
    for words in (html, text):
        assert "https://market.console.aliyun.com/imageconsole/index.htm" in words
        assert "AppCode" in words
        assert "丁审计" in words
        assert "bo…@outside.test" in words
        assert "boss@outside.test" not in words
        assert "http://127.0.0.1:8000/reminders" in words
        assert "%(" not in words
    assert re.findall(r'(?:src|background)="([^"]*)"|url\(([^)]*)\)', html) == [("cid:usage", "")]
    assert re.search(r'<img[^>]* alt="[^"]{20,}"', html)
    assert "<script" not in html
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<usage>"
    drawn = Image.open(BytesIO(picture.get_content()))
    assert drawn.size == (WIDTH, HEIGHT)


def test_the_picture_shows_each_days_calls() -> None:
    days = [date(2026, 10, 4) + timedelta(days=ahead) for ahead in range(30)]
    calls = [0] * 10 + [50] + [100] * 18 + [10]

    drawn = Image.open(BytesIO(usage_picture(days, calls))).convert("RGB")

    bar = tuple(bytes.fromhex(BAR[1:]))
    heights = []
    for index in range(29):
        x = int(LEFT + (index + 0.5) * (WIDTH - LEFT - RIGHT) / 30)
        heights.append(sum(drawn.getpixel((x, y)) == bar for y in range(HEIGHT)))
    assert heights[:10] == [0] * 10
    assert heights[10] == pytest.approx(heights[11] / 2, abs=2)
    assert len(set(heights[11:])) == 1


def test_names_of_people_and_orders_cannot_become_markup() -> None:
    subscribe(AUDITOR)
    with transaction() as session:
        session.execute(update(User).where(User.id == AUDITOR.id).values(name="<b>丁</b>"))
    scene_expiry(left=100, elsewhere=0, calls_a_day=0, order="<img src=x>")

    html = html_of(mail_of("zh_CN", to=ADMIN.email))

    assert "<b>" not in html
    assert "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html


def test_a_practice_instance_says_so_in_the_mail() -> None:
    scene_low(remaining=10, total=100, calls_a_day=0)

    assert "演练环境" in html_of(mail_of("zh_CN"))
    assert "演练环境" in text_of(mail_of("zh_CN"))


def test_links_lead_to_the_public_address(make_app: MakeApp) -> None:
    app: Flask = make_app(PUBLIC_URL="https://yuliang.example")
    with app.app_context():
        scene_low(remaining=10, total=100, calls_a_day=0)
        assert "https://yuliang.example/quota/lots/new" in text_of(mail_of("en"))


def test_figures_are_those_of_the_minute_it_is_sent() -> None:
    subscribe()
    buy(100)
    use(80)
    [message] = messages()
    first = compose(message, NOW).subject
    with transaction() as session:
        session.execute(update(Lot).values(available=5, charged=95))
    current_app.extensions["reminder figures"].clear()

    assert (first, compose(message, NOW).subject) == ("[余量] 仅剩 20%：20/100 次", "[余量] 仅剩 5%：5/100 次")


def test_many_recipients_get_the_same_figures_whoever_sends_them(make_app: MakeApp) -> None:
    """Figures are read once a minute and shared between the lanes that send."""
    with mail_server() as inbox:
        app = make_app(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test")
        with app.app_context():
            for number in range(30):
                add_confirmed(f"{number}@outside.test")
            scene_expiry(left=100, elsewhere=0, calls_a_day=5, order="A-1")
            sending.drain(this_instance(), NOW + timedelta(seconds=5), lambda: NOW + timedelta(seconds=5))
            assert {one.state for one in messages()} == {"sent"}
        assert len({mail["Subject"] for _to, mail in inbox.mails if "A lot ends" in mail["Subject"]}) == 1


@pytest.mark.parametrize(
    ("locale", "before", "after"), [("en", "What ends", "What has ended"), ("zh_CN", "即将到期的套餐", "已到期的套餐")]
)
def test_what_has_ended_is_not_called_what_ends(locale: str, before: str, after: str) -> None:
    subscribe()
    buy(100, ends=TODAY + timedelta(days=7))
    review()
    for mail, said, unsaid in (
        (mail_of(locale), before, after),
        (mail_of(locale, NOW + timedelta(days=9)), after, before),
    ):
        for part in (text_of(mail), html_of(mail)):
            assert said in part
            assert unsaid not in part
