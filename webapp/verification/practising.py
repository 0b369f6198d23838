"""Many practise in one sandbox at the same time: what each of them does must not take away the others' lesson, nor
alarm anybody. A live instance knows no practising."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from webapp.foundation.instance import Instance
from webapp.vendor.contract import Reply, Stop
from webapp.vendor.sandbox import people
from webapp.vendor.sandbox.scenarios import BY_NAME

SHORT_STOP = Stop(seconds=20)


def practises(name: str, number: str, instance: Instance) -> bool:
    """Whether a question comes from the tour, or calls a situation by its name: many numbers under such a name, and
    many such names for a number, are meant."""
    return instance.kind == "sandbox" and (people.of_tour(number) or name in BY_NAME)


def situations(instance: Instance) -> Collection[str]:
    """The names that call a situation, whatever the number: calls under them count for no number."""
    return BY_NAME if instance.kind == "sandbox" else ()


def shortened(reply: Reply, number: str, instance: Instance) -> Reply:
    """The reply to a question of the tour, its stop cut short where time alone would end it."""
    timed = reply.stop is not None and reply.stop.seconds is not None
    return replace(reply, stop=SHORT_STOP) if timed and instance.kind == "sandbox" and people.of_tour(number) else reply
