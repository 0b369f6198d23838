"""Reads a page as a browser under our policy does: what it would load, where it links, what would be forbidden."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import ClassVar


class PageReader(HTMLParser):
    """Collects what a page makes the browser load, and what the policy would forbid."""

    LOADS: ClassVar = {"src", "srcset", "poster", "data", "background", "action", "formaction"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.forbidden: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.loads += [value for name, value in given.items() if name in self.LOADS]
        if tag == "link":
            self.loads.append(given.get("href", ""))
        if tag == "a":
            self.links.append((given.get("href", ""), given.get("rel", "")))
        inline = tag == "script" and "src" not in given and given.get("type") != "application/json"
        handlers = [name for name in given if name.startswith("on") or name == "style"]
        if inline or handlers or tag == "style" or given.get("href", "").startswith("javascript:"):
            self.forbidden.append(self.get_starttag_text() or tag)
