"""The provinces and cities that can be chosen: those of the lists of region codes and, in a sandbox, its own."""

from __future__ import annotations

from functools import cache

from webapp.persons import regions
from webapp.persons.places import plain_province
from webapp.vendor.sandbox.people import PLACES


@cache
def provinces(kind: str) -> tuple[str, ...]:
    """By region code; the sandbox's invented ones first."""
    invented = [province for province, _city, _county in PLACES.values()] if kind == "sandbox" else []
    listed = [named.name for code, names in regions.table().items() if code.endswith("0000") for named in names]
    return tuple({plain_province(one): one for one in reversed([*invented, *listed])}.values())[::-1]


@cache
def cities(kind: str, province: str) -> tuple[str, ...]:
    """Those of a province, also under earlier names; a municipality is its own city."""
    if not province:
        return ()
    plain = plain_province(province)
    invented = [city for named, city, _county in PLACES.values() if kind == "sandbox" and named == province]
    table = regions.table()
    codes = {code[:2] for code, names in table.items() if code.endswith("0000")
             for named in names if plain_province(named.name) == plain}  # fmt: skip
    cities = (names for code, names in table.items() if code[:2] in codes and code[2:4] != "00" and code[4:] == "00")
    listed = [named.name for names in cities for named in names]
    itself = [province] if province.endswith("市") else []
    return tuple(dict.fromkeys([*invented, *itself, *listed]))
