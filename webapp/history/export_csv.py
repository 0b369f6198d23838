"""Rows as CSV (RFC 4180), in UTF-8 with a byte order mark, for spreadsheets. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from webapp.history.export_cells import kept_in_csv

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Lines(list[str]):
    """What the csv module writes a line at a time."""

    write = list.append


class CsvFile:
    """One file, written piece by piece; a piece depends on none before it."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, position: Sequence[int] = ()) -> None:
        """`position`: as it was after the last piece; there is nothing to remember."""
        self.position: Sequence[int] = ()

    @staticmethod
    def cell(text: str) -> str:
        """Any text as a cell for `rows`."""
        return kept_in_csv(text)

    def begin(self, heading: Sequence[str], watermark: str) -> bytes:
        """The first piece: the watermark's line, if any, and the heading."""
        lines = [[watermark], heading] if watermark else [heading]
        return BYTE_ORDER_MARK + self.rows([[self.cell(text) for text in line] for line in lines])

    def rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Some rows, each cell of them made by `cell` unless it can be neither a formula nor mistaken for a number.

        All are quoted: LibreOffice takes semicolons and tabs for separators too unless it is told otherwise.
        """
        lines = _Lines()
        csv.writer(lines, quoting=csv.QUOTE_ALL).writerows(rows)
        return "".join(lines).encode("utf-8", "replace")

    def end(self) -> bytes:
        """The last piece."""
        return b""
