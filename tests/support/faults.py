"""What a form's page says is wrong."""

from __future__ import annotations

import re


def fault_beside(page: str, field: str) -> str:
    """The message beside `field` in a page's HTML, '' where there is none."""
    found = re.search(rf'id="{field}-error"[^>]*>(.*?)</p>', page, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found[1]).strip() if found else ""
