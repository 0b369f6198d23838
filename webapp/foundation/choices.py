"""Lists to choose from, drawn at once.

WTForms draws each choice like a widget of its own, which took a quarter of a page of the history: it offers some
eighty, provinces and operators among them.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape
from wtforms.widgets import Select, html_params


class PlainSelect(Select):
    """Draws the same as WTForms' own; lists with groups, or with attributes of single choices, it leaves to that."""

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        choices = list(field.iter_choices())
        if field.has_groups() or any(one.render_kw for one in choices):
            return Markup(super().__call__(field, **attributes))  # noqa: S704  # markup already
        flags = {flag: True for flag in self.validation_attrs if getattr(field.flags, flag)}
        head = html_params(name=field.name, **{"id": field.id} | flags | attributes)
        drawn = (
            f'<option {"selected " if one.selected else ""}value="{escape(one.value)}">'
            f"{escape(one.label or one.value)}</option>"
            for one in choices
        )
        return Markup(f"<select {head}>{''.join(drawn)}</select>")  # noqa: S704  # every part of it is escaped


PLAIN_SELECT = PlainSelect()
