"""Lists to choose from look as WTForms would draw them."""

from __future__ import annotations

from typing import Any

import pytest
from wtforms import Form, SelectField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs lag behind
from wtforms.validators import InputRequired
from wtforms.widgets import Select

from webapp.foundation.choices import PLAIN_SELECT

CHOICES: list[list[Any]] = [
    [],
    [SelectChoice("", "All"), SelectChoice("match", "Match & <more>"), SelectChoice('"quoted"', "Quoted")],
    [SelectChoice("match", "")],
    [SelectChoice("a", "A", optgroup="First"), SelectChoice("match", "B", optgroup="Second")],
    [SelectChoice("match", "Off", render_kw={"disabled": True})],
]


@pytest.mark.parametrize("choices", CHOICES)
@pytest.mark.parametrize(
    "attributes", [{}, {"class": "form-select", "aria-invalid": "true"}, {"id": "other", "aria-invalid": False}]
)
@pytest.mark.parametrize("chosen", [None, "match", '"quoted"', "nothing of these"])
@pytest.mark.parametrize("validators", [[], [InputRequired()]])
def test_a_list_to_choose_from_is_drawn_as_by_wtforms(
    choices: list[Any], attributes: dict[str, Any], chosen: str | None, validators: list[Any]
) -> None:
    class Asking(Form):
        outcome = SelectField("Outcome", choices=choices, validators=validators)

    field = Asking(data={"outcome": chosen}).outcome

    assert PLAIN_SELECT(field, **attributes) == Select()(field, **attributes)
