"""What is written into a file comes out of it again as the same text, in every program that reads it, and never
calculates."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from webapp.history.export_cells import inert, kept_in_csv
from webapp.history.export_files import FileFormat, Writer, file_of

NUMBER = "440524188001010014"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a", "=HYPERLINK(\"http://x\")",
            "-2+3+cmd|' /C calc'!A0", "=", "+86 138", "--", "=\"440524\"")  # fmt: skip
REWRITTEN = (NUMBER, "0012", "3-4", "1/2", "1E5", "12:30", "2026-11-02", "1,234", "12345678901", "00", "1.50", "(5)",
             "5%", " 7", "7 ", "¥7", "11010519491231002", "3月5日", "2026年3月", "2026年3月5日", "JAN-25",
             "25-Dec-2026", "may 5", "Sept 5", "5 PM", "5:30 p.m.", "5 p", "10 a", "下午5时30分", "5时", "１２３",
             "３月５日", "US$5", "HK$ 5", "3月5日下午5时", "2026-03-05T10:00:00Z", "1;2", "#5")  # fmt: skip
SAME = ("", "1", "0", "9999999999", "2026-11-02 12:00:00", "11010519491231002X", "1****************X", "张三",
        "A-1", "A5", "3月5日王", "MAYA-5", "单5", "业务-7788", "e", "pm",
        "5F4DCC3B-AA76-4D61-8327-DEB882CF99AA")  # fmt: skip
ROWS = [["张三", NUMBER, text, "", "2026-11-02 12:00:00"] for text in (*FORMULAS, *REWRITTEN, *SAME, "a,b", 'a"b',
                                                                   "a\nb", "a;=1+1", "<&>", "_x000D_", " a ",
                                                                   "𠮷·阿")]  # fmt: skip
HEADING = ["Name", "Number", "Text", "Nothing", "Time"]


def written(kind: FileFormat, rows: list[list[str]], *, watermark: str = "", piece: int = 3) -> bytes:
    """A file, each piece of which was made by another writer."""
    writer = file_of(kind)
    content = writer.begin(HEADING, watermark)
    for start in range(0, len(rows), piece):
        writer = file_of(kind, writer.position)
        content += writer.rows([[writer.cell(cell) for cell in row] for row in rows[start : start + piece]])
    return content + file_of(kind, writer.position).end()


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> list[list[str]]:
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.to_python()]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_like_a_formula_is_quoted(text: str) -> None:
    assert inert(text) == kept_in_csv(text).removesuffix("\t") == f"'{text}"


@pytest.mark.parametrize("text", REWRITTEN)
def test_what_csv_readers_rewrite_is_kept_by_a_tab_behind_it(text: str) -> None:
    assert kept_in_csv(text) == f"{text}\t"


@pytest.mark.parametrize("text", SAME)
def test_all_else_is_left_as_it_is(text: str) -> None:
    assert kept_in_csv(text) == inert(text) == text


@given(TEXTS)
@example("\u3000=1")
@settings(max_examples=500)
def test_no_cell_begins_with_what_starts_a_formula_and_nothing_is_lost(text: str) -> None:
    for cell in (inert(text), kept_in_csv(text)):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert cell.removeprefix("'").removesuffix("\t") == text.removeprefix("'").removesuffix("\t")


@given(st.lists(st.tuples(st.just("1"), *[TEXTS] * 4).map(list), max_size=8), st.integers(1, 4))
@example(ROWS, 3)
@settings(max_examples=60)
def test_csv_and_xlsx_read_back_say_the_same(rows: list[list[str]], piece: int) -> None:
    as_csv = read_csv(written(FileFormat.CSV, rows, piece=piece))
    content = written(FileFormat.XLSX, rows, piece=piece)
    as_xlsx = read_xlsx(content)

    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert as_csv == [HEADING, *[[kept_in_csv(cell) for cell in row] for row in rows]]
    assert [[*map(sound, row)] for row in [HEADING, *rows]] == as_xlsx


def sound(text: str) -> str:
    """As a sheet's XML holds it: controls replaced; its readers make one line feed of each line end."""
    kept = "".join(one if one in "\t\n\r" or (one >= " " and one not in "\ufffe\uffff") else "\ufffd" for one in text)
    return inert(kept).replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("kind", FileFormat)
def test_a_watermark_is_the_first_line(kind: FileFormat) -> None:
    read = read_csv if kind == FileFormat.CSV else read_xlsx
    content = written(kind, [["a"] * 5], watermark="=mark, of somebody")

    assert read(content)[0][0] == "'=mark, of somebody"
    assert read(content)[1] == HEADING


def test_a_sheet_of_no_rows_is_a_sheet() -> None:
    assert read_xlsx(written(FileFormat.XLSX, [])) == [HEADING]


def test_every_cell_of_a_sheet_is_text_and_none_a_formula() -> None:
    xml = zipfile.ZipFile(io.BytesIO(written(FileFormat.XLSX, ROWS))).read("xl/worksheets/sheet1.xml").decode()

    assert xml.count("<c ") == (len(ROWS) + 1) * len(HEADING)
    assert xml.count('t="inlineStr"') + xml.count("<c s=") == xml.count("<c ")
    assert "<f" not in xml.replace("<fo", "")
    assert "<v>" not in xml


def test_a_writer_needs_only_the_position_of_the_one_before() -> None:
    whole = written(FileFormat.XLSX, ROWS, piece=len(ROWS))

    assert read_xlsx(whole) == read_xlsx(written(FileFormat.XLSX, ROWS, piece=1))


def in_libreoffice(path: Path, folder: Path, filters: str = "") -> list[list[str]]:
    """The rows as LibreOffice reads the file: it writes what it shows as CSV."""
    program = shutil.which("soffice")
    assert program, "LibreOffice is missing: make test-long installs it"
    out, how = folder / "read", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
    subprocess.run(
        [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
         *([f"--infilter={filters}"] if filters else []), "--convert-to", how, "--outdir", str(out), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with (out / f"{path.stem}.csv").open(encoding="utf-8-sig", newline="") as file:
        return [[cell.removesuffix("\t") for cell in row] for row in csv.reader(file)]


@pytest.mark.long
def test_libreoffice_reads_the_same_text_from_both_and_calculates_nothing(tmp_path: Path) -> None:
    plain = [row for row in ROWS if "\r" not in row[2] and "\n" not in row[2]]
    (tmp_path / "a.xlsx").write_bytes(written(FileFormat.XLSX, plain))
    (tmp_path / "b.csv").write_bytes(written(FileFormat.CSV, plain))

    sheet = in_libreoffice(tmp_path / "a.xlsx", tmp_path)
    text = in_libreoffice(tmp_path / "b.csv", tmp_path, "CSV:44,34,76,1")
    as_offered = in_libreoffice(tmp_path / "b.csv", tmp_path, "CSV:44/59/9,34,76,1")

    assert sheet == [HEADING, *[[inert(cell) for cell in row] for row in plain]]
    assert text == [[cell.removesuffix("\t") for cell in row] for row in sheet]
    assert as_offered == text, "with the separators that its dialog offers"


def test_a_million_rows_need_no_more_memory_than_a_batch() -> None:
    writer: Writer = file_of(FileFormat.XLSX)
    batch = [["张三", NUMBER, "a", "", "2026-11-02 12:00:00"]] * 500
    tracemalloc.start()
    try:
        writer.begin(HEADING, "")
        writer.rows(batch)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(40):
            writer.rows(batch)
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()
