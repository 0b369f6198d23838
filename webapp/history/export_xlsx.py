"""Rows as a sheet of text cells (XLSX, ECMA-376), written piece by piece: nothing is kept, no file is made. Pure.

The libraries at hand hold all cells in memory (300 MB at 100,000 rows) or lay them on the disk in plaintext until the
end. A sheet of text is little more than its rows between two lines of XML: the sheet is the archive's last member, each
piece a run of whole deflate blocks, sizes and checksum stand behind it (APPNOTE.TXT 4.3.9, 4.4.4 bit 3). So a piece
needs three numbers of those before it, and another process can go on where one was killed.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from webapp.history.export_cells import inert

MOST_ROWS = 100_000
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET = "xl/worksheets/sheet1.xml"
_MEMBERS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
    f'Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Yuliang" sheetId="1" '
    'r:id="rId1"/></sheets></workbook>',
    # Number format 49 is text; the second style is the heading's.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/>'
    '</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill '
    'patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>'
    '</cellStyleXfs><cellXfs count="3"><xf/><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" '
    'applyNumberFormat="1" applyFont="1"/></cellXfs></styleSheet>',
}  # fmt: skip
_TEXT, _BOLD = 1, 2
_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""Excel reads _x000D_ as a character of that number, and _x005F_ as a plain underscore."""
_DEFLATED, _VERSION, _UTF_8, _SIZES_FOLLOW, _DAY_ONE = 8, 20, 0x800, 0x8, 0x21


class _Member(NamedTuple):
    """A member of the archive: how it is found, and what its directory entry says."""

    name: str
    at: int
    flags: int
    checksum: int
    packed: int
    size: int


class XlsxFile:
    """One workbook with one sheet."""

    media_type = f"{_TYPE}.sheet"

    def __init__(self, position: Sequence[int] = (0, 0, 0)) -> None:
        """`position`: as it was after the last piece: the sheet's checksum, packed size and size."""
        self._checksum, self._packed, self._size = position

    @property
    def position(self) -> Sequence[int]:
        """What the next piece needs to know."""
        return self._checksum, self._packed, self._size

    @staticmethod
    def cell(text: str) -> str:
        """Any text as a cell for `rows`."""
        return inert(text)

    def begin(self, heading: Sequence[str], watermark: str) -> bytes:
        """The first piece: all members but the sheet's rows, the watermark's line, if any, and the heading."""
        above = 2 if watermark else 1
        columns = "".join(f'<col min="{n}" max="{n}" width="20" customWidth="1"/>' for n in range(1, len(heading) + 1))
        sheet = (
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="{above}" '
            f'topLeftCell="A{above + 1}" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f"<cols>{columns}</cols><sheetData>{_row([self.cell(watermark)], _BOLD) if watermark else ''}"
            f"{_row([self.cell(name) for name in heading], _BOLD)}"
        )
        return _before_the_sheet()[0] + self._pack(sheet)

    def rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Some rows, each cell of them made by `cell` unless it cannot be a formula."""
        return self._pack("".join(_row(row, _TEXT) for row in rows))

    def end(self) -> bytes:
        """The last piece: the sheet's end and the archive's directory."""
        last = self._pack(
            '</sheetData><ignoredErrors><ignoredError sqref="A1:XFD1048576" numberStoredAsText="1"/></ignoredErrors>'
            "</worksheet>",
            zlib.Z_FINISH,
        )
        behind = struct.pack("<IIII", 0x08074B50, self._checksum, self._packed, self._size)
        before, members, sheet_at = _before_the_sheet()
        sheet = _Member(_SHEET, sheet_at, _UTF_8 | _SIZES_FOLLOW, self._checksum, self._packed, self._size)
        return last + behind + _directory([*members, sheet], len(before) + self._packed + len(behind))

    def _pack(self, xml: str, flush: int = zlib.Z_FULL_FLUSH) -> bytes:
        """Deflate blocks that lean on none before them and end at a whole byte."""
        content = xml.encode()
        deflate = zlib.compressobj(level=3, wbits=-zlib.MAX_WBITS)
        packed = deflate.compress(content) + deflate.flush(flush)
        self._checksum = zlib.crc32(content, self._checksum)
        self._packed += len(packed)
        self._size += len(content)
        return packed


def _row(cells: Sequence[str], style: int) -> str:
    return f"<row>{''.join(_cell(cell, style) for cell in cells)}</row>"


def _cell(text: str, style: int) -> str:
    if not text:
        return f'<c s="{style}"/>'
    sound = escape(_ESCAPED.sub("_x005F_", re.sub(_NOT_XML, "\ufffd", text)), quote=False)
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{sound}</t></is></c>'


def _before_the_sheet() -> tuple[bytes, list[_Member], int]:
    """The archive up to the sheet's rows; its members so far, and where the sheet's own header stands."""
    written, members = b"", []
    for name, xml in _MEMBERS.items():
        content = (_HEAD + xml).encode()
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = deflate.compress(content) + deflate.flush()
        member = _Member(name, len(written), _UTF_8, zlib.crc32(content), len(packed), len(content))
        members.append(member)
        written += _header(member) + packed
    sheet_at = len(written)
    return written + _header(_Member(_SHEET, sheet_at, _UTF_8 | _SIZES_FOLLOW, 0, 0, 0)), members, sheet_at


def _described(member: _Member) -> bytes:
    """What a local header and a directory entry say alike; the time is 1980-01-01, as nothing else is worth telling."""
    return struct.pack(
        "<HHHHHIIIHH", _VERSION, member.flags, _DEFLATED, 0, _DAY_ONE, member.checksum, member.packed, member.size,
        len(member.name), 0,
    )  # fmt: skip


def _header(member: _Member) -> bytes:
    return b"PK\x03\x04" + _described(member) + member.name.encode()


def _directory(members: Sequence[_Member], at: int) -> bytes:
    entries = b"".join(
        b"PK\x01\x02" + struct.pack("<H", _VERSION) + _described(one) + struct.pack("<HHHII", 0, 0, 0, 0, one.at)
        + one.name.encode()
        for one in members
    )  # fmt: skip
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(entries), at, 0)
    return entries + b"PK\x05\x06" + end
