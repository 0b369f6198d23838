"""What a message says, and who words it: each kind of message has a composer, registered by the part it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app

from webapp.notify.messages import Message

NAME = "composers"


@dataclass(frozen=True, slots=True)
class Picture:
    """An inline picture (PNG); the HTML refers to it as `cid:<name>`."""

    name: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """A message in words."""

    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()
    secrets: tuple[str, ...] = ()
    """What only the recipient may know, such as the token of a link: taken out of what is kept here."""

    def record(self) -> str:
        """The text as it is kept."""
        text = self.text
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return text


Composer = Callable[[Message, datetime], Content]


def register(app: Flask, kind: str, composer: Composer) -> None:
    """Says who words messages of `kind`; called once, by the composition root's parts."""
    app.extensions.setdefault(NAME, {})[kind] = composer


def compose(message: Message, now: datetime) -> Content:
    """The message in its recipient's language, with the figures of `now`. Raises whatever is wrong with it."""
    composers = cast(dict[str, Composer], current_app.extensions.get(NAME, {}))
    return composers[message.kind](message, now)
