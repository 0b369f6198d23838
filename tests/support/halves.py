"""Which half of a test's combinations runs in `make test`: that of a chessboard. The other has the marker `half`.

A test that has values of its own and runs on both databases runs in `make test` with each value on one database, by
turns; `make test-long` runs it on the other. A test without values, or with the marker `both_databases`, runs on both.
Where it is languages, themes or sizes that meet, the tests themselves mark the other half.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import product

import pytest
from _pytest.mark import ParameterSet

DATABASE, DATABASES = "database", ("sqlite", "postgresql")


def other_half(board: Sequence[tuple[Hashable, int]]) -> list[bool]:
    """Of each field (its value, its database's number) whether it is left to the other half.

    A value is never left out on all of its databases, nor a database with all of its values.
    """
    rows = {value: row for row, value in enumerate(dict(board))}
    if len(rows) == 1:
        return [False] * len(board)
    return [(rows[value] + column) % 2 == 1 and (value, 1 - column) in board for value, column in board]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before `-m` chooses."""
    boards: dict[tuple[object, str], list[tuple[pytest.Function, Hashable, int]]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and _has_a_board(item):
            values = dict(item.callspec.params)
            column = DATABASES.index(str(values.pop(DATABASE)))
            row = tuple(sorted((name, id(value)) for name, value in values.items()))  # some have no other identity
            boards[item.parent, item.originalname].append((item, row, column))
    for fields in boards.values():
        for (item, _, _), left in zip(fields, other_half([field[1:] for field in fields]), strict=True):
            if left:
                item.add_marker(pytest.mark.half)


def _has_a_board(item: pytest.Function) -> bool:
    spec = getattr(item, "callspec", None)
    kept = any(item.get_closest_marker(name) for name in ("both_databases", "long", "half"))
    return spec is not None and DATABASE in spec.params and not kept


def by_turns(*values: object, kept: int = 0) -> list[ParameterSet]:
    """Values for `parametrize` of which every other one, counted from `kept`, runs in `make test`."""
    marks = ((), (pytest.mark.half,))
    return [pytest.param(value, marks=marks[(turn + kept) % 2]) for turn, value in enumerate(values)]


def chessboard(sizes: Mapping[str, object], locales: Sequence[str], themes: Sequence[str]) -> list[ParameterSet]:
    """Options of a browser's context in each combination; those of `make test` hold every pair of values."""
    fields = product(enumerate(sizes), enumerate(locales), enumerate(themes))
    return [
        pytest.param(
            {"viewport": sizes[size], "locale": locale, "color_scheme": theme},
            id=f"{size}, {locale}, {theme}",
            marks=(pytest.mark.half,) if (i + j + k) % 2 else (),
        )
        for (i, size), (j, locale), (k, theme) in fields
    ]
