"""Which names are worth comparing with the card letter by letter, once the vendor did not know them. Pure."""

from __future__ import annotations

from webapp.persons import names


def worth_comparing(name: str) -> bool:
    """Whether a name holds what the register often writes in another way: the dot between two parts, anything that is
    no Chinese character, or a character outside GB 2312-80, which older input methods could not type."""
    return bool(names.warnings(name)) or names.SEPARATOR in name or not _common(name)


def _common(name: str) -> bool:
    try:
        name.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
