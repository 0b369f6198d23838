"""Reads that run for every page, or for a million rows: statements compiled once, rows as the driver gives them.

The statement is SQLAlchemy's; its text is put together once for each engine. What its own results add to each row (an
object, a look at each value) costs as much as reading it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import Dialect, Integer, LargeBinary, Select, String
from sqlalchemy.exc import DBAPIError

from webapp.foundation.database import UtcDateTime, db

PREPARED = 500
"""Statements that are kept."""
_AS_THEY_COME = (Integer, String, LargeBinary)

Rows = list[tuple[Any, ...]]


class _Prepared(NamedTuple):
    text: str
    own: dict[str, Any]
    """Parameters that it brings itself."""
    makers: dict[str, Callable[[Any], Any]]
    """What makes the driver's values of some parameters."""
    order: Sequence[str] | None
    """Of the parameters, where the driver takes them by their place."""
    texts: Sequence[int]
    """Columns whose instants the driver gives as text."""
    cursor: dict[str, Any]
    """How the driver's cursor is made."""

    def given(self, parameters: dict[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        values = self.own | parameters
        for name, make in self.makers.items():
            values[name] = make(values[name])
        return values if self.order is None else tuple([values[name] for name in self.order])


def read(statement: Select[Any], **parameters: Any) -> Rows:
    """The rows that the statement selects, in the page's own transaction; instants are aware, UTC. Raises what any
    other read raises.

    For statements that are made once and kept, with columns of numbers, texts, bytes and instants that are never
    missing, and without lists of parameters.
    """
    connection = db.session.connection()
    one, driver = _prepared(statement, connection.dialect), connection.dialect.loaded_dbapi.Error
    try:
        with closing(connection.connection.cursor(**one.cursor)) as cursor:
            cursor.execute(one.text, one.given(parameters))
            rows = cast(Rows, cursor.fetchall())
    except driver as error:
        raise DBAPIError.instance(one.text, None, error, driver, hide_parameters=True) from error
    for at in one.texts:
        rows = [(*row[:at], _instant(row[at] + "+00:00"), *row[at + 1 :]) for row in rows]
    return rows


_instant = datetime.fromisoformat


@lru_cache(PREPARED)
def _prepared(statement: Select[Any], dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect)
    columns = list(statement.selected_columns)
    instants = [isinstance(one.type, UtcDateTime) for one in columns]
    odd = [one.name for one, instant in zip(columns, instants, strict=True)
           if (getattr(one, "nullable", True) if instant else not isinstance(one.type, _AS_THEY_COME))]  # fmt: skip
    if odd:
        raise TypeError(f"{odd} do not come as they are")
    made = {name: one.type.dialect_impl(dialect).bind_processor(dialect) for name, one in compiled.binds.items()}
    return _Prepared(
        str(compiled), {name: value for name, value in compiled.params.items() if value is not None},
        {name: make for name, make in made.items() if make is not None}, compiled.positiontup,
        [at for at, instant in enumerate(instants) if instant and dialect.name == "sqlite"],
        {"binary": True} if dialect.name == "postgresql" else {},  # as text, bytes come in hexadecimal
    )  # fmt: skip
