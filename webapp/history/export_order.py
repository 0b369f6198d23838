"""What an export was asked to hold, as it is kept until the file is prepared: sealed, for a search names people."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

from webapp.history.filters import Filters

_NAMING_NOBODY = {"outcome": "outcome", "operator": "operator", "department": "department", "source": "source",
                  "purpose": "purpose", "from": "first", "to": "last", "billed": "billed", "province": "province",
                  "city": "city"}  # fmt: skip
"""Names in the address and in `Filters`."""


class Order(NamedTuple):
    """The filters, in which language the file is, and in plaintext why."""

    filters: Filters
    locale: str
    reason: str = ""
    words: str = ""

    def address(self) -> MultiDict[str, str]:
        """The filters that name nobody, as they stand in an address."""
        given = {name: getattr(self.filters, field) for name, field in _NAMING_NOBODY.items()}
        return MultiDict({name: str(value) for name, value in given.items() if value is not None})

    def described(self) -> str:
        """The same for the audit trail: `outcome=match from=2026-11-01`."""
        return " ".join(f"{name}={value}" for name, value in self.address().items())

    def packed(self) -> dict[str, Any]:
        """As JSON takes it."""
        kept = {name: _packed(value) for name, value in asdict(self.filters).items() if value is not None}
        return {"filters": kept} | {name: getattr(self, name) for name in ("locale", "reason", "words")}

    @staticmethod
    def unpacked(content: dict[str, Any]) -> Order:
        """What `packed` made."""
        days = {one.name for one in fields(Filters) if "date" in str(one.type)}
        filters: dict[str, Any] = {name: date.fromisoformat(value) if name in days else value
                   for name, value in content["filters"].items()}  # fmt: skip
        return Order(**content | {"filters": Filters(**filters)})


def _packed(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
