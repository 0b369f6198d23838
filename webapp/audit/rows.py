"""How a record is written for people: in the table, and in the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.audit.standing import Standing, standings_of
from webapp.audit.stored import Record, plain, time_of
from webapp.audit.texts import ACTIONS, OBJECTS
from webapp.audit.trail import LISTED
from webapp.foundation.charts import harmless
from webapp.foundation.database import end_read
from webapp.foundation.keys import Keys
from webapp.foundation.pages import when

PIECE = 500
"""Lines that are sent at once."""


STANDINGS = {Standing.OURS: "", Standing.AS_FOUND: _l("sealed as found"), Standing.NOT_OURS: _l("not ours")}


def table(records: Sequence[Record], keys: Keys) -> list[dict[str, Any]]:
    """Records as the table shows them, and how much each proves."""
    standing = standings_of(records, keys)
    return [row(one) | {"standing": standing[one.id]} for one in records]


def row(record: Record) -> dict[str, Any]:
    """A record as the table shows it, whatever stands there: what no product of ours wrote is shown as text. The detail
    stands as recorded, the same words in every language, but for the numbers of verifications that were on a page: they
    may be thousands."""
    action = plain(record.action)
    return {
        "at": time_of(record.at), "actor": plain(record.actor), "action_label": ACTIONS.get(action, action),
        "object": _object(record), "success": bool(record.success), "address": plain(record.address),
        "detail": ", ".join(plain(f"{key} {value}") for key, value in detail_of(record.detail).items()
                            if key != LISTED and value not in (None, "")),
    }  # fmt: skip


def detail_of(written: object) -> dict[str, Any]:
    """What stands in a record's detail, also where that is no object."""
    try:
        found = json.loads(written) if isinstance(written, str) else written
    except (ValueError, RecursionError):
        found = written
    return found if isinstance(found, dict) else {"?": str(found)}


def csv_pieces(records: Iterable[Record], zone: str, keys: Keys) -> Iterator[bytes]:
    """The records as CSV (RFC 4180), piece by piece: a byte order mark, the zone in the heading, nothing calculated."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, quoting=csv.QUOTE_ALL)
    text.write("\ufeff")
    lines.writerow([_("Record"), f"{_('Time')} ({zone})", _("Who"), _("User"), _("Action"), _("Action's name"),
                    _("Object"), _("Success"), _("IP address"), _("Request"), _("Detail"), _("Proof")])  # fmt: skip
    left = iter(records)
    while some := list(islice(left, PIECE)):
        standing = standings_of(some, keys)
        end_read()
        for record in some:
            lines.writerow([*_cells(record), str(STANDINGS[standing[record.id]])])
        if len(some) == PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cells(record: Record) -> list[str]:
    shown = row(record)
    words = [shown["actor"], plain(record.actor_id or ""), str(shown["action_label"]), plain(record.action),
             str(shown["object"]), _("yes") if record.success else _("no"), shown["address"], plain(record.request_id),
             shown["detail"]]  # fmt: skip
    return [str(record.id), when(shown["at"]), *map(harmless, words)]


def _object(record: Record) -> str:
    kind = plain(record.object_type)
    return f"{OBJECTS.get(kind, kind)} {plain(record.object_id)}" if record.object_id else ""
