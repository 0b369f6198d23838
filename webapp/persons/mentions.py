"""Whether words that somebody typed name a person. Pure."""

import re
import unicodedata


def plain(text: str) -> str:
    """The text without what separates, widens or capitalises it: only for comparing."""
    return re.sub(r"[\s\-·.]", "", unicodedata.normalize("NFKC", text)).casefold()


def mentions(words: str, *secrets: str) -> bool:
    """Whether the words hold one of these (a name, a number), however it is spaced or written; an empty one is none."""
    within = plain(words)
    return any(one in within for one in map(plain, secrets) if one)


def names_someone(words: str, *secrets: str) -> bool:
    """Whether the words of a reason hold one of these, or what looks like an ID number: they are kept in the clear for
    auditors."""
    return re.search(r"\d{14}", plain(words)) is not None or mentions(words, *secrets)
