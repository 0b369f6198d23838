"""A cell's text as a spreadsheet takes it: never as a formula, nor as a number or date that loses something. Pure."""

from __future__ import annotations

import re
import unicodedata

GUARD = "'"
"""Before a text that a spreadsheet would calculate."""
KEEP = "\t"
"""Behind a text in CSV that looks like a number, a date or a time: Excel, WPS and LibreOffice then leave it alone."""

_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
"""How formulas begin, full-width forms included (OWASP, CSV injection)."""
_SAME_WHEN_READ = re.compile(r"0|[1-9]\d{0,9}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
"""Short whole numbers and instants: read as what they are, they look the same."""
_HARMLESS = re.compile(r"(?![=+\-@\t\r\n＝＋－＠])(?:\D*|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\Z", re.DOTALL)
"""One look that clears most texts: no formula, and no digit or one of the vendor's request ids."""
_WORDS = re.compile(r"[^\W\d_]+")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")  # fmt: skip
_OF_NUMBERS = frozenset(
    {month[:length] for month in _MONTHS for length in range(3, len(month) + 1)}
    | {
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "am",
        "pm",
        "m",
        "e",
        "t",
        "z",
        "utc",
        "gmt",
        "st",
        "nd",
        "rd",
        "th",
    }
    | {"us", "usd", "eur", "gbp", "cny", "rmb", "hk", "hkd", "nt", "twd", "jpy"}
)
"""Words that stand in dates, times and amounts: with these alone around its digits a text may be taken for one."""
_HAN_OF_NUMBERS = frozenset("年月日号时時分秒点元上下中午凌晨晚公民国份钟小周星期一二三四五六")
"""The same in Chinese, a character at a time."""
_HALF_DAY = re.compile(r"\s*\d[\d\s:.]*[aApP]\.?\s*([mM]\.?)?\s*")
"""`5 p`, which Excel reads as 17:00."""


def inert(text: str) -> str:
    """`text`, with a quote before it where a spreadsheet would calculate it."""
    return GUARD + text if _FORMULA.match(text) else text


def kept_in_csv(text: str) -> str:
    """`text`, inert, with a tab behind it where a spreadsheet that reads CSV would rewrite it: 440524188001010014
    stays."""
    if _HARMLESS.match(text):
        return text
    if _FORMULA.match(text):
        return inert(text)
    return text + KEEP if _may_be_read(text) and not text.endswith(KEEP) else text


def _may_be_read(text: str) -> bool:
    """Whether a spreadsheet may take it for a number, a date or a time that looks other than the text."""
    if _SAME_WHEN_READ.fullmatch(text) or not any(map(str.isdigit, text)):
        return False
    plain = unicodedata.normalize("NFKC", text)
    return bool(_HALF_DAY.fullmatch(plain)) or all(map(_of_numbers, _WORDS.findall(plain)))


def _of_numbers(word: str) -> bool:
    return word.lower() in _OF_NUMBERS or _HAN_OF_NUMBERS.issuperset(word)
