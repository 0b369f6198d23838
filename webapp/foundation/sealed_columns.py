"""What the binary columns hold, said beside each of them: so a rotation of keys finds what it must renew.

Pure: words for `mapped_column(info=…)`. A test reads them of every binary column there is.
"""

from __future__ import annotations


def sealed(place: str) -> dict[str, str]:
    """A sealed blob. `place`: what it is bound to, with the names of the row's key in braces."""
    return {"sealed": place}


def blind(key: str) -> dict[str, str]:
    """A blind index, made anew from what is sealed beside it. `key`: the column that says under which index key."""
    return {"blind": key}


def fleeting(why: str) -> dict[str, str]:
    """A digest under an index key that is gone soon, and until then is right under any of them. `why`: how."""
    return {"fleeting": why}


def keyed(why: str) -> dict[str, str]:
    """Nothing that data or index keys have made, or that stands without them. `why`: what it is under."""
    return {"keyed": why}
