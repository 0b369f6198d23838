"""Provinces and cities by their plain names. Pure.

How the vendor writes a place is not in its manual: '广东省' or '广东'. Who looks for one must find the other.
"""

from __future__ import annotations

import re

_PROVINCE = re.compile(r"(?<=..)(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)$")
_CITY = re.compile(r"(?<=..)市$")


def plain_province(name: str) -> str:
    """'广东', '内蒙古', '新疆', '北京'; what has no such ending comes back as it is."""
    return _PROVINCE.sub("", name.strip())


def plain_city(name: str) -> str:
    """'汕头'; prefectures and leagues keep their ending, for it tells them from cities."""
    return _CITY.sub("", name.strip())
