"""A cell's text as a spreadsheet takes it: never as a formula, nor as a number or date that loses something. Pure."""

from __future__ import annotations

import re

GUARD = "'"
"""Before a text that a spreadsheet would calculate."""
KEEP = "\t"
"""Behind a text in CSV that looks like a number, a date or a time: Excel, WPS and LibreOffice then leave it alone."""

_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
"""How formulas begin, full-width forms included (OWASP, CSV injection)."""
_COUNTED = re.compile(r"(?=.*\d)[\d\s.,:/eE%¥$()+\-]+")
"""What numbers, dates and times are written with."""
_SAME_WHEN_READ = re.compile(r"0|[1-9]\d{0,9}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
"""Short whole numbers and instants: read as what they are, they look the same."""
_HARMLESS = re.compile(r"(?![=+\-@\t\r\n＝＋－＠]).*?[^\d\s.,:/eE%¥$()+\-]")
"""One look that clears most texts: no formula, and some character that no number has."""


def inert(text: str) -> str:
    """`text`, with a quote before it where a spreadsheet would calculate it."""
    return GUARD + text if _FORMULA.match(text) else text


def kept_in_csv(text: str) -> str:
    """`text`, inert, with a tab behind it where a spreadsheet that reads CSV would rewrite it: 440524188001010014
    stays."""
    if _HARMLESS.match(text):
        return text
    text = inert(text)
    return text + KEEP if _COUNTED.fullmatch(text) and not _SAME_WHEN_READ.fullmatch(text) else text
