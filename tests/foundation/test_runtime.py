"""Run-time settings: the environment fixes, else the database says, else the default; sealed whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.support.cast import NOW
from webapp.foundation import runtime
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import Instance, this_instance
from webapp.foundation.runtime import StoredSetting
from webapp.foundation.sealing import CannotOpen
from webapp.settings import SETTINGS

NAME = "YULIANG_APPCODE"
MakeApp = Callable[..., Flask]


def in_force(instance: Instance) -> tuple[str | None, str]:
    """Value and source of the AppCode."""
    one = next(one for one in runtime.all_effective(instance.settings, instance.sealer) if one.setting.name == NAME)
    assert one.value == runtime.value(NAME, instance.settings, instance.sealer)
    return one.value, one.source


def store(text: str, instance: Instance) -> None:
    with transaction():
        runtime.store(NAME, text, instance.sealer, NOW)


@pytest.fixture
def instance(make_app: MakeApp) -> Iterator[Instance]:
    with make_app(APPCODE="").app_context():
        yield this_instance()


def test_default_then_database_then_default_again(instance: Instance) -> None:
    assert in_force(instance) == (None, "default")

    store("first", instance)
    assert in_force(instance) == ("first", "database")
    store("second", instance)
    assert in_force(instance) == ("second", "database")

    with transaction():
        assert runtime.clear(NAME) is True
    assert in_force(instance) == (None, "default")
    with transaction():
        assert runtime.clear(NAME) is False


def test_what_the_environment_fixes_goes_before_the_database(instance: Instance, make_app: MakeApp) -> None:
    store("stored", instance)

    with make_app(APPCODE="given").app_context():
        assert in_force(this_instance()) == ("given", "environment")


def test_another_process_sees_a_change_at_once(instance: Instance) -> None:
    store("first", instance)
    assert runtime.stored(NAME, instance.sealer) == "first"
    with db.engine.connect() as other:
        other.execution_options(writes=True)
        sealed = instance.sealer.seal(b"second", f"setting:{NAME}")
        other.execute(update(StoredSetting).where(StoredSetting.name == NAME).values(sealed=sealed))
        db.session.rollback()
        other.commit()

    assert runtime.stored(NAME, instance.sealer) == "second"


def test_only_what_is_marked_so_can_be_set_at_run_time(instance: Instance) -> None:
    with transaction():
        runtime.store("YULIANG_PORT", "9999", instance.sealer, NOW)

    assert runtime.value("YULIANG_PORT", instance.settings, instance.sealer) == 8000
    assert NAME in {setting.name for setting in SETTINGS if setting.runtime}


def test_a_stored_setting_is_sealed_and_bound_to_its_name(instance: Instance) -> None:
    store("geheim-appcode", instance)
    sealed = db.session.scalar(select(StoredSetting.sealed).where(StoredSetting.name == NAME))
    assert sealed is not None
    assert b"geheim" not in sealed

    with transaction() as session:
        session.add(StoredSetting(name="other", sealed=sealed, changed_at=NOW))
    with pytest.raises(CannotOpen):
        runtime.stored("other", instance.sealer)
