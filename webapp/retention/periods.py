"""How long each class is kept, as the settings in force say."""

from __future__ import annotations

from webapp.foundation import runtime
from webapp.foundation.instance import Instance
from webapp.foundation.runtime import Effective
from webapp.retention.rules import Kind, Period
from webapp.settings import SETTINGS

NAMES = {
    Kind.IDENTITY: "YULIANG_KEEP_IDENTITY",
    Kind.FACTS: "YULIANG_KEEP_FACTS",
    Kind.OUTBOX: "YULIANG_KEEP_OUTBOX",
    Kind.VIEWS: "YULIANG_KEEP_VIEWS",
    Kind.AUDIT: "YULIANG_KEEP_AUDIT",
}
"""Settings, in days."""


def effective(kind: Kind, instance: Instance) -> Effective:
    """The setting of a class with its value in force and its source."""
    setting = next(one for one in SETTINGS if one.name == NAMES[kind])
    return runtime.effective(setting, instance.settings, instance.sealer)


def period(kind: Kind, instance: Instance) -> Period:
    """How long the class is kept now."""
    return Period(kind, effective(kind, instance).value)
