"""The kinds of file an export may be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol

from webapp.history.export_csv import CsvFile
from webapp.history.export_xlsx import XlsxFile


class FileFormat(StrEnum):
    """As which file."""

    CSV = "csv"
    XLSX = "xlsx"


class Writer(Protocol):
    """Writes one file piece by piece: `begin`, then any number of `rows`, then `end`."""

    media_type: str

    @property
    def position(self) -> Sequence[int]:
        """What another writer of the same file needs to go on."""

    @staticmethod
    def cell(text: str) -> str:
        """Any text as a cell for `rows`."""

    def begin(self, heading: Sequence[str], watermark: str) -> bytes:
        """The first piece."""

    def rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Some rows."""

    def end(self) -> bytes:
        """The last piece."""


def file_of(kind: FileFormat | str, position: Sequence[int] = ()) -> Writer:
    """The writer of a file of this kind, at its beginning or where another one stopped."""
    return XlsxFile(position or (0, 0, 0)) if kind == FileFormat.XLSX else CsvFile(position)
