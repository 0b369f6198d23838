"""A masked export straight into the browser: batch by batch, with no transaction open between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webapp.audit.trail import Action, Who, append
from webapp.foundation import key_ring
from webapp.foundation.clock import utc_now
from webapp.foundation.database import end_read, transaction
from webapp.history.export_files import Writer
from webapp.history.export_rows import Batch, Set, Worded

MOST_ROWS = 1_000_000
"""Of a file that a browser waits for: more is prepared in the background."""
FIRST_ROWS, BATCH_ROWS = 200, 5000
"""The first batch is small: the file begins at once."""


def stream(asked: Set, words: Worded, writer: Writer, heading: Sequence[str], who: Who) -> Iterator[bytes]:
    """The file's pieces. The first batch is read and opened at once, so that what fails is a page and no torn file.

    Raises `CannotOpen` under other keys.
    """
    found = asked.batch("", FIRST_ROWS)
    begun = writer.begin(heading, "") + writer.rows(words(found.rows))
    end_read()
    return _recorded(begun, found, asked, words, writer, who)


def _recorded(begun: bytes, found: Batch, asked: Set, words: Worded, writer: Writer, who: Who) -> Iterator[bytes]:
    rows, whole = len(found.rows), False
    try:
        _record_rows(found, who)
        yield begun
        while found.place:
            key_ring.heed()  # rows are indexed anew meanwhile, perhaps
            found = asked.batch(found.place, BATCH_ROWS)
            end_read()
            rows += len(found.rows)
            _record_rows(found, who)
            yield writer.rows(words(found.rows))
        yield writer.end()
        whole = True
    finally:
        # Also where the reader went away: what was sent was seen.
        with transaction():
            append(who, Action.EXPORT_SENT, utc_now(), success=whole, rows=rows)


def _record_rows(found: Batch, who: Who) -> None:
    """Whom the next piece shows is recorded before it is sent."""
    if found.rows:
        with transaction():
            append(who, Action.EXPORT_ROWS, utc_now(), rows=len(found.rows), shown=[row[0] for row in found.rows])
