"""Names and numbers as they may be shown. Pure.

A masked number beside a birthday and a county gives the whole number back, so a list shows its first and last
character and nothing between (PIPL; 6+4 and 4+4 masks are too much).
"""

import re

from webapp.persons.names import SEPARATOR

STAR = "*"

_HIDDEN = re.compile(f"[^{SEPARATOR}]")


def mask_name(name: str) -> str:
    """'张*', '欧**', '阿**·***': the first character and the places of `·`; of a single character nothing."""
    if len(name) < 2:
        return _HIDDEN.sub(STAR, name)
    return name[0] + (_HIDDEN.sub(STAR, name[1:]) if SEPARATOR in name else STAR * (len(name) - 1))


def mask_number(number: str) -> str:
    """'1****************X': first and last character; of anything shorter than 15 characters nothing."""
    if len(number) < 15:
        return STAR * len(number)
    return number[0] + STAR * (len(number) - 2) + number[-1]


def group_number(number: str) -> str:
    """'110105 19491231 002X' for eyes that compare it with a card; another length comes back as it is."""
    return f"{number[:6]} {number[6:14]} {number[14:]}" if len(number) == 18 else number
