"""Regions are hints from a dated table: right for living and retired codes, silent about what it does not know."""

import gzip
import re

import pytest

from tests.persons.people import VECTORS
from webapp.persons import regions
from webapp.persons.regions import ENCODING, SOURCE_YEARS, Named, Region

MOST_BYTES = 40_000


@pytest.mark.parametrize(
    ("code", "born", "places", "until"),
    [
        ("110105", 1949, ("北京市", "朝阳区"), None),
        ("440524", 1880, ("广东省", "汕头市", "潮阳县"), 1992),
        ("362324", 1980, ("江西省", "上饶地区", "铅山县"), 1999),
        ("429004", 1999, ("湖北省", "仙桃市"), None),
        ("512221", 1990, ("四川省", "万县地区", "万县"), 1991),
        ("810000", 1994, ("香港特别行政区",), None),
        ("110999", 1990, ("北京市",), None),
    ],
)
def test_a_code_is_called_as_it_was_when_the_number_was_given(
    code: str, born: int, places: tuple[str, ...], until: int | None
) -> None:
    assert regions.find(code, born) == Region(places, until)


@pytest.mark.parametrize("code", ["990426", "009999", "932682", "000000"])
def test_a_code_nobody_listed_is_no_region(code: str) -> None:
    assert regions.find(code, 1990) is None


def test_every_vector_can_be_asked_about() -> None:
    asked = [vector for vector in VECTORS["numbers"] if "region" in vector]
    found = [regions.find(vector["region"], int(vector["birth_date"][:4])) for vector in asked]
    assert 10 < sum(region is not None for region in found) < len(found)


def test_the_table_holds_retired_codes_with_their_years() -> None:
    first, last = SOURCE_YEARS
    years = [name.until for names in regions.table().values() for name in names if name.until]
    assert len(regions.table()) > 6_000
    assert (first <= min(years), max(years) < last) == (True, True)


def test_the_packed_table_is_small_and_says_the_same() -> None:
    packed = regions.packed()
    assert len(packed) < MOST_BYTES
    read = {}
    for line in gzip.decompress(packed).decode(ENCODING).split("\n"):
        for rest, names in re.findall(r"(\d\d)((?:[^\d|-]+(?:-\d{4})?\|?)+)", line[4:]):
            parts = [name.partition("-") for name in names.split("|")]
            read[line[:4] + rest] = tuple(Named(name, int(until) if until else None) for name, _, until in parts)
    assert read == regions.table()
