"""What a chart is: places along an axis, and figures at each of them. The drawing, the table behind it and the CSV file
are made from the same one, so they cannot differ."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from babel.numbers import get_decimal_symbol, get_group_symbol
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

Figure = int | float | None
TIMES = frozenset({"times", "hours", "days", "weeks", "months"})
"""Axes whose places are times of a zone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One figure at each place (None: there is none). `draw`: bar, line, dashed, step, least or most (of a range)."""

    key: str
    label: str
    values: Sequence[Figure]
    draw: str = "bar"


@dataclass(frozen=True, slots=True)
class Chart:
    """`axis` names the places to scripts, `head` to people; `notes` are told at their places."""

    name: str
    title: str
    axis: str
    head: str
    places: Sequence[str]
    lines: Sequence[Line]
    unit: str
    zone: str
    period: str
    kind: str = "lines"
    digits: int = 0
    newest_first: bool = True
    notes: Mapping[int, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The name of its files, without ending."""
        return "-".join(filter(None, ("yuliang", self.name, self.period)))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw: all is 0 but on a plain line, where 0 is a point like any other."""
        told = ((line.draw == "line", value) for line in self.lines for value in line.values)
        return not any(value is not None if plain else value for plain, value in told)

    @property
    def data(self) -> dict[str, Any]:
        """What the script draws."""
        return {
            "kind": self.kind, "title": self.title, "axis": self.axis, "places": list(self.places), "unit": self.unit,
            "zone": self.zone, "period": self.period, "file": self.file, "digits": self.digits,
            "notes": {str(place): note for place, note in self.notes.items()},
            "lines": [{"key": one.key, "label": one.label, "values": list(one.values), "draw": one.draw}
                      for one in self.lines],
        }  # fmt: skip

    @property
    def heads(self) -> list[str]:
        """What stands above the columns of table and file: the places, in which zone, and each line in its unit. Where
        there is none, the unit keeps its column."""
        head = f"{self.head} ({self.zone})" if self.axis in TIMES else self.head
        return [head, *(f"{line.label} ({self.unit})" for line in self.lines)] if self.lines else [head, self.unit]

    @property
    def rows(self) -> list[tuple[str, list[str], str]]:
        """Each place as the table shows it: its name, its figures in words, its note."""
        words = _words(self.digits)
        found = [
            (place, [words(line.values[index]) for line in self.lines], self.notes.get(index, ""))
            for index, place in enumerate(self.places)
        ]
        return found[::-1] if self.newest_first else found

    def _plain(self, value: Figure) -> str:
        return "" if value is None else f"{value:.{self.digits}f}"

    def csv(self) -> str:
        """The same as a file for spreadsheets: a byte order mark, one line of headings, plain numbers."""
        text = io.StringIO()
        lines = csv.writer(text, quoting=csv.QUOTE_ALL)
        noted = [_("Note")] if self.notes else []
        lines.writerow(map(harmless, [*self.heads, *noted]))
        for index, place in enumerate(self.places):
            figures = [self._plain(line.values[index]) for line in self.lines] or [""]
            note = [harmless(self.notes.get(index, ""))] if self.notes else []
            lines.writerow([harmless(place), *figures, *note])
        return "\ufeff" + text.getvalue()


def _words(digits: int) -> Callable[[Figure], str]:
    """Writes figures as the reader's language does. Babel reads the language's pattern for each figure again, which for
    the thousands of a year is most of the page's time; all our languages put a sign after every three digits."""
    locale = get_locale()
    signs = str.maketrans({",": get_group_symbol(locale), ".": get_decimal_symbol(locale)})
    return lambda value: "–" if value is None else f"{value:,.{digits}f}".translate(signs)


def harmless(text: str) -> str:
    """Words that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def csv_file(chart: Chart) -> Response:
    """The chart's figures as a file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{chart.file}.csv"'}
    return Response(chart.csv(), content_type="text/csv; charset=utf-8", headers=headers)
