"""Reading many identities: the short way says what the long way says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import settings_for
from webapp.foundation.keys import load_keys
from webapp.foundation.sealing import CannotOpen, Sealer
from webapp.verification.identities import Person, name_and_number, opened

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    folder: Path = tmp_path_factory.mktemp("keys")
    return Sealer(load_keys(settings_for(folder, None)))


@given(TEXTS, TEXTS, TEXTS)
@example("张三", "11010519491231002X", "")
@example('","number":"', "1", '{"name":"')
@example("\\", '"', "\n")
@example("", "", "")
@settings(max_examples=200)
def test_name_and_number_are_those_of_the_opened_person(sealer: Sealer, name: str, number: str, raw: str) -> None:
    kept = {key: text for key, text in (("name", name), ("number", number), ("raw", raw)) if text}
    sealed = sealer.seal_json(kept, "identity:7")

    assert opened(7, sealed, sealer) == Person(name, number, raw=raw)
    assert name_and_number(7, sealed, sealer) == (name, number)


def test_neither_opens_what_was_sealed_for_another_row(sealer: Sealer) -> None:
    sealed = sealer.seal_json({"name": "张三", "number": "1"}, "identity:7")

    for read in (opened, name_and_number):
        with pytest.raises(CannotOpen):
            read(8, sealed, sealer)
