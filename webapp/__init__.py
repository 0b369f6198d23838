"""Yuliang (余量): usage, quota and reminders of a prepaid ID-verification API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from webapp.settings import Settings


def create_app(settings: Settings, *, make_keys: bool = True) -> Flask:
    """The application. Opens no connection and starts no thread. Raises `SettingsError`.

    `make_keys`: whether missing keys are generated; never so where the database holds sealed data already.
    """
    from webapp import application  # here, so that a pure module is had without the whole house

    return application.create_app(settings, make_keys=make_keys)
