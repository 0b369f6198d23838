"""Numbers nobody holds, for property tests: region codes 00… were never assigned. And the shared vectors."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from webapp.persons import id_numbers

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))
few = settings(max_examples=25)
"""The pure tests stay under a second together; each property was once run with 3,000 examples."""
TODAY = date.fromisoformat(VECTORS["today"])


def _number(serial: int, born: date, sequence: int) -> str:
    first17 = f"{serial:06d}{born:%Y%m%d}{sequence:03d}"
    return first17 + id_numbers.check_character(first17)


numbers = st.builds(
    _number,
    st.integers(0, 9_999),
    st.dates(date(1850, 1, 1), TODAY),
    st.integers(1, 999),
)
"""Sound numbers of people born between 1850 and the vectors' today."""

texts = st.lists(st.integers(0, 0x10FFFF).map(chr) | st.integers(0, 0x7F).map(chr), max_size=60).map("".join)
"""Any text, halves of surrogate pairs included. Not st.text(): its table of characters takes a second."""

blots = st.sampled_from(
    list(" \t\n\u00a0\u3000\u2009-\u2010\u2013\u2014\u2212\u00ad\u200b\u200d\u200e\u202e\u2066\ufeff")
)
"""What comes along when a number is copied from a page, a PDF or a chat."""
