"""Pages travel compressed: a list of fifty rows is a twentieth of its bytes.

Only pages that were answered with 200 are: such a page repeats nothing that a foreign link could choose freely, for a
filter that is not one of its list is refused with another status. Without text of an attacker's choice beside the
secrets, the length of the answer tells nothing about them (BREACH, https://www.breachattack.com).
"""

from __future__ import annotations

import gzip

import brotli
from flask import Flask, Response, request

LEAST = 1_000
"""Bytes; less is not worth it."""
QUALITY = {"br": 4, "gzip": 5}
"""Half a millisecond for an ordinary page."""


def install(app: Flask) -> None:
    """Compresses what the application answers, last of all; static files lie there compressed already."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype != "text/html":
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 or response.is_streamed or "Content-Encoding" in response.headers:
        return response
    coding = request.accept_encodings.best_match(QUALITY)
    if coding is None or len(page := response.get_data()) < LEAST:
        return response
    quality = QUALITY[coding]
    response.set_data(brotli.compress(page, quality=quality) if coding == "br" else gzip.compress(page, quality))
    response.headers["Content-Encoding"] = coding
    return response
