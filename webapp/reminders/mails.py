"""The words of reminder mails: what a template needs to know, and the rendering in the recipient's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from flask import Flask, current_app

from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import speaking
from webapp.notify import composing
from webapp.notify.composing import Content, Picture
from webapp.notify.messages import Message
from webapp.quota.catalogue import CATALOGUE
from webapp.quota.models import Lot
from webapp.reminders import links, queries, relevance, short_mails
from webapp.reminders.buying import CONSOLE, PRODUCT, advice
from webapp.reminders.dates import short_day
from webapp.reminders.late import late_words
from webapp.reminders.models import Episode, mark_of
from webapp.reminders.picture import usage_picture
from webapp.reminders.queries import Outlook, Told
from webapp.reminders.rules import Rule, Supply
from webapp.usage.forecast import Stock

NAME = "reminder figures"
FRESH = timedelta(seconds=60)
"""How long figures are used again: one reminder goes to many recipients in one go."""
MOST_KEPT = 8
"""Figures of so many episodes: their messages may come by turns."""
MOST_NAMED = 5
"""Other readers."""
MOST_LOTS = 8
PLACE_OF_TOKEN = "recipients-own-token"  # noqa: S105
"""Stands for the recipient's token while words are shared."""


class Figures(NamedTuple):
    """What all mails of one episode say, whatever their language; read at `at`."""

    at: datetime
    episode: Episode
    supply: Supply
    outlook: Outlook
    lots: Sequence[Lot]
    told: list[Told]
    png: bytes
    links: dict[str, str]
    words: dict[tuple[str, str, tuple[Told, ...]], tuple[str, str, str]]
    """What was rendered of them already: subject, text and HTML, by language, how late it is, and who is named."""


def install(app: Flask) -> None:
    """Registers who words which message."""
    app.extensions[NAME] = {}
    composing.register(app, "reminder.low", _low, short_mails.low, pointless=relevance.reminder)
    composing.register(app, "reminder.expiry", _expiry, short_mails.expiry, pointless=relevance.reminder)
    composing.register(app, "recipient.confirm", _confirm, pointless=relevance.confirmation)
    composing.register(app, "mail.test", _test)


def masked(address: str) -> str:
    """An outside address as others see it: `li…@example.com`."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:2]}…@{domain}"


def _low(message: Message, now: datetime) -> Content:
    figures = _figures(int(message.params["episode"]), now)
    remaining, total = figures.supply.remaining, figures.supply.total
    today = day_of(now, this_instance().settings.zone)
    lots = _in_use(figures.outlook.stock, today)
    return _render(
        "low", message, figures, remaining=remaining, total=total, above=figures.supply.is_above,
        percent=remaining * 100 // total if total else 0, in_use=lots[:MOST_LOTS], more=lots[MOST_LOTS:],
        **_later(lots, today),
    )  # fmt: skip


def _in_use(stock: Sequence[Stock], today: date) -> list[Stock]:
    """Lots with calls in the order of use, and after them those that begin later, one after another."""
    return sorted((one for one in stock if one.left), key=lambda one: max(one.starts_on, today))


def _expiry(message: Message, now: datetime) -> Content:
    figures = _figures(int(message.params["episode"]), now)
    today = day_of(now, this_instance().settings.zone)
    ending = {lot.id for lot in figures.lots}
    forecast = figures.outlook.forecast
    ends_on = figures.episode.ends_on or today
    over = ends_on < today
    then = today if over else ends_on + timedelta(days=1)
    others = [one for one in figures.outlook.stock if one.lot_id not in ending and one.expires_on >= then]
    return _render(
        "expiry", message, figures,
        left=queries.calls_ending(figures.lots),
        days_left=(ends_on - today).days, over=over,
        unused=sum(forecast.lapses.get(lot, 0) for lot in ending) if forecast else None,
        elsewhere=sum(one.left for one in others if one.starts_on <= then),
        orders=[lot.order_number for lot in figures.lots if lot.order_number],
        unnamed=[lot.id for lot in figures.lots if not lot.order_number],
        **_later(others, then),
    )  # fmt: skip


def _later(stock: Sequence[Stock], day: date) -> dict[str, Any]:
    """The calls of lots that begin after a day, and when the first of them does."""
    later = [one for one in stock if one.starts_on > day and one.left]
    return {"later": sum(one.left for one in later), "later_from": min((one.starts_on for one in later), default=None)}


def _confirm(message: Message, now: datetime) -> Content:
    token = links.confirm_token(mark_of(message.reader), int(message.params["asked"]))
    link = links.page("reminders.recipients.confirm", token=token)
    return replace(_plain("confirm", message, now, link=link, days=links.CONFIRM_LASTS.days), secrets=(token,))


def _test(message: Message, now: datetime) -> Content:
    return _plain("test", message, now, link=links.page("reminders.index"))


def _plain(name: str, message: Message, now: datetime, **values: Any) -> Content:
    """A mail without figures."""
    with speaking(message.locale):
        values |= {"now": now, "today": day_of(now, this_instance().settings.zone), "kind": this_instance().kind,
                   "zone": this_instance().settings.timezone, "lang": message.locale.replace("_", "-")}  # fmt: skip
        return Content(*_words(name, values))


def _fill(template: str, **values: Any) -> str:
    """Without what pages share: a mail must read the same whoever's request or job it is written in."""
    return current_app.jinja_env.get_template(template).render(values)


def _words(name: str, values: dict[str, Any]) -> tuple[str, str, str]:
    subject = " ".join(_fill(f"mail/{name}/subject.txt", **values).split())
    lead = " ".join(_fill(f"mail/{name}/lead.txt", **values).split())
    values = values | {"subject": subject, "lead": lead}
    text = _fill(f"mail/{name}/text.txt", **values).strip() + "\n"
    return subject, text, _fill(f"mail/{name}/body.html", **values)


def _render(name: str, message: Message, figures: Figures, **values: Any) -> Content:
    """The mail to one recipient. Only the link that ends the mails differs between readers of one language who see
    the same others named, so the words are rendered once for all of them, and the link is put in."""
    others = tuple(islice((told for told in figures.told if told.address != message.address), MOST_NAMED))
    late = late_words(message, figures.episode, figures.at)
    shared = (message.locale, late, others)
    words = figures.words.get(shared)
    if words is None:
        with speaking(message.locale):
            values |= {"late_words": late}
            words = figures.words[shared] = _words(name, _values(message.locale, figures, others) | values)
    token = links.stop_token(mark_of(message.reader))
    subject, text, html = words
    picture = Picture("usage", figures.png)
    return Content(
        subject, text.replace(PLACE_OF_TOKEN, token), html.replace(PLACE_OF_TOKEN, token), (picture,), (token,),
        leave=figures.links["leave"].replace(PLACE_OF_TOKEN, token),
    )  # fmt: skip


def _values(locale: str, figures: Figures, others: tuple[Told, ...]) -> dict[str, Any]:
    """What both reminders tell, in the language that is forced now."""
    settings, calls = this_instance().settings, figures.outlook.calls
    today, highest = day_of(figures.at, settings.zone), max(calls)
    values = {
        "now": figures.at, "today": today, "zone": settings.timezone, "kind": this_instance().kind,
        "lang": locale.replace("_", "-"), "episode": figures.episode, "lots": figures.lots,
        "forecast": figures.outlook.forecast, "calls": calls, "highest": highest,
        "highest_on": figures.outlook.days[calls.index(highest)],
        "advice": advice(CATALOGUE, figures.outlook.calls_a_day),
        "others": [told.name or masked(told.address) for told in others],
        "more_others": max(0, len(figures.told) - 1 - len(others)),
        "console": CONSOLE, "product_page": PRODUCT, **figures.links,
        "short_day": lambda day: short_day(day, today),
    }  # fmt: skip
    for part in ("usage", "others"):  # as values, so that the HTML escapes what users are called
        values[f"{part}_words"] = _fill(f"mail/{part}.txt", **values)
    return values


def _figures(episode_id: int, now: datetime) -> Figures:
    kept: dict[int, Figures] = current_app.extensions[NAME]
    known = kept.get(episode_id)
    if known is not None and timedelta() <= now - known.at < FRESH:
        return known
    episode = queries.episode(episode_id)
    if episode is None:
        raise LookupError(f"episode {episode_id} is gone")
    zone = this_instance().settings.zone
    outlook = queries.outlook(now, zone)
    figures = Figures(
        at=now,
        episode=episode,
        supply=queries.supply(day_of(now, zone)),
        outlook=outlook,
        lots=queries.lots_ending_with(episode),
        told=queries.deliverable(Rule(episode.rule)),
        png=usage_picture(outlook.days, outlook.calls),
        links={
            "stop": links.page("reminders.recipients.stop", token=PLACE_OF_TOKEN),
            "leave": links.page("reminders.recipients.leave", token=PLACE_OF_TOKEN),
            "reminders": links.page("reminders.index"),
            "record": links.page("quota.new_lot"),
            "quota": links.page("quota.index"),
        },
        words={},
    )
    for row in (episode, *figures.lots):
        db.session.expunge(row)  # kept longer than this session, and read by other threads
    oldest_first = sorted((one.at, key) for key, one in tuple(kept.items()))
    for _at, key in oldest_first[: max(0, len(oldest_first) + 1 - MOST_KEPT)]:
        kept.pop(key, None)
    kept[episode_id] = figures
    return figures
