"""One line from a card reader, a spreadsheet or a message: who is it? Pure.

Nothing is guessed: a text that could name two people is not read, for a reader's Enter key may spend a call.
"""

import re
from typing import NamedTuple

from webapp.persons import id_numbers, names

LONGEST = 2_000
"""Code points of one line, and of one name and number spread over several lines; more is not read."""


class Person(NamedTuple):
    """A name and a number, both normalised, neither checked."""

    name: str
    number: str


class Line(NamedTuple):
    """One pasted line: its place (from 1), its text, and who was read from it, if anybody."""

    place: int
    text: str
    person: Person | None


class Pasted(NamedTuple):
    """What was pasted: the lines that hold something, and how many more there were."""

    lines: tuple[Line, ...]
    left_over: int


# Full-width ASCII, blanks, dashes and the ideographic comma, one character for one: positions in the shadow
# of a text are positions in the text, and a name is cut from the text itself.
_PLAIN = {" ": "\u3000\xa0", "-": "\u2010\u2011\u2012\u2013\u2014\u2212", ";": "\u3001"}
_SHADOW = {full: chr(full - 0xFEE0) for full in range(0xFF01, 0xFF5F)} | {
    ord(character): plain for plain, many in _PLAIN.items() for character in many
}
_INVISIBLE = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")

# Most telling shape first. Between the digits of a grouped number stands one blank or hyphen at most.
_NUMBERS = (
    re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z])(?:[0-9][ -]?){17}[0-9Xx](?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z])[0-9]{15}(?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z])[0-9]{14,20}[Xx]?(?![0-9A-Za-z])"),
)
_NAME_LABEL = r"(?:姓\s*名|名字|(?<![A-Za-z])(?i:name)(?![A-Za-z]))"
_OTHER_LABEL = (
    r"(?:(?:公民|居民)?身份(?:证件?)?(?:号码?)?|证件号码?|号码|性\s*别|民\s*族|出生(?:日期|年月)?|住\s*址|地址"
    r"|电话|手机号?码?|(?<![A-Za-z])(?i:id(?:no|card)?|no)(?![A-Za-z]))"
)
_LABELLED_NAME = re.compile(
    rf"{_NAME_LABEL}\s*[:=]?\s*(?P<name>[^\t\r\n,;:|/]*?)(?=$|[\t\r\n,;:|/]|{_NAME_LABEL}|{_OTHER_LABEL})"
)
_ENDS = re.compile(rf"[\t\r\n,;:|/\"'()=\[\]<>]+|{_NAME_LABEL}|{_OTHER_LABEL}")
_CHARACTER = f"[{names.HAN}{names.PRIVATE}]"
_NAME = re.compile(f"{_CHARACTER}+(?:{names.SEPARATOR}{_CHARACTER}+)*")
_LATIN_NAME = re.compile(r"[A-Za-z][A-Za-z .'\-]*[A-Za-z]")
_DOTS = re.compile(f" *[{re.escape(names.LOOK_ALIKES)}] *")
_SEXES = ("男", "女")


def read_line(text: str) -> Person | None:
    """The one person a text names, or None when that is not beyond doubt.

    Reads a name and a number in either order, tab-separated cells, labels (姓名：… 身份证号：…), full-width
    characters and grouped digits. The number may be faulty: it is returned so that its field can say so.
    Names in Latin letters are read behind their label, or beside a number of a foreigner (it starts with 9).
    """
    text = _INVISIBLE.sub("", text).strip()
    if len(text) > LONGEST:
        return None
    shadow = text.translate(_SHADOW)
    found = _number(shadow)
    if found is None:
        return None
    start, end = found
    number = id_numbers.normalise(shadow[start:end])
    # A line break stands for the number, so that what was before and behind it never grows together.
    rest, shadow = f"{text[:start]}\n{text[end:]}", f"{shadow[:start]}\n{shadow[end:]}"
    name = _labelled(rest, shadow) or _only(_cells(rest, shadow), latin=number.startswith("9"))
    return Person(names.normalise(name), number) if name else None


def lines(text: str, most: int = 50) -> Pasted:
    """Pasted lines that are not blank, up to `most`; one person spread over several lines comes as one."""
    filled = [(place, line) for place, line in enumerate(text.splitlines(), 1) if line.strip()]
    taken = tuple(Line(place, line.strip(), read_line(line)) for place, line in filled[:most])
    if 1 < len(filled) <= most and not any(line.person for line in taken) and (person := read_line(text)):
        taken = (Line(taken[0].place, text.strip(), person),)
    return Pasted(taken, max(0, len(filled) - most))


def _number(shadow: str) -> tuple[int, int] | None:
    """Where the only number stands; None when there is none, or two different ones of the same shape."""
    for shape in _NUMBERS:
        found = {id_numbers.normalise(match[0]): match.span() for match in shape.finditer(shadow)}
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None


def _labelled(text: str, shadow: str) -> str | None:
    spans = [match.span("name") for match in _LABELLED_NAME.finditer(shadow) if match["name"]]
    return _only([text[slice(*span)] for span in spans], latin=True)


def _cells(text: str, shadow: str) -> list[str]:
    starts = [0, *(end.end() for end in _ENDS.finditer(shadow))]
    ends = [*(end.start() for end in _ENDS.finditer(shadow)), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _only(cells: list[str], latin: bool) -> str | None:
    """The one name in the cells; None when there is none or more than one."""
    found = {name for cell in cells for name in _names(cell)}
    if not found and latin:
        found = {cell.strip() for cell in cells if _LATIN_NAME.fullmatch(cell.strip())}
    return found.pop() if len(found) == 1 else None


def _names(cell: str) -> list[str]:
    """What may be names in one cell: its words of Han characters, '张 三' set wide as one word.

    Sex and ethnic group, which cards and readers print beside the name, are left out.
    """
    words = _DOTS.sub(names.SEPARATOR, cell).strip(f" {names.SEPARATOR}").split()
    han = [word for word in words if _NAME.fullmatch(word)]
    if len(han) == len(words) and _set_wide(han):
        return ["".join(han)]
    return [word for word in han if len(word) > 1 and not (word.endswith("族") and len(word) <= 4)]


def _set_wide(words: list[str]) -> bool:
    """'张 三' and '欧阳 修' are one name each, '张三 李四' and '张三 男 汉' are not."""
    row = len(words[0]) > 1 and any(word in _SEXES for word in words) if words else True
    return not row and sum(map(len, words)) <= 4 and any(len(word) == 1 for word in words) and len(words) > 1
