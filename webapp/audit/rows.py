"""How a record is written for people: in the table, and in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.audit.standing import Standing, standings
from webapp.audit.texts import ACTIONS, OBJECTS
from webapp.audit.trail import LISTED, AuditRecord
from webapp.foundation.charts import harmless
from webapp.foundation.database import end_read
from webapp.foundation.keys import Keys
from webapp.foundation.pages import when

PIECE = 500
"""Lines that are sent at once."""


STANDINGS = {Standing.OURS: "", Standing.AS_FOUND: _l("sealed as found"), Standing.NOT_OURS: _l("not ours")}


def table(records: Sequence[AuditRecord], keys: Keys) -> list[dict[str, Any]]:
    """Records as the table shows them, and how much each proves."""
    standing = standings([record.id for record in records], keys)
    return [row(one) | {"standing": standing.get(one.id, Standing.NOT_OURS)} for one in records]


def row(record: AuditRecord) -> dict[str, Any]:
    """A record as the table shows it. The detail stands as recorded, the same words in every language, but for the
    numbers of verifications that were on a page: they may be thousands."""
    return {
        "at": record.at, "actor": record.actor, "action_label": ACTIONS.get(record.action, record.action),
        "object": _object(record), "success": record.success, "address": record.address,
        "detail": ", ".join(f"{key} {value}" for key, value in record.detail.items()
                            if key != LISTED and value not in (None, "")),
    }  # fmt: skip


def csv_pieces(records: Iterable[AuditRecord], zone: str, keys: Keys) -> Iterator[bytes]:
    """The records as CSV (RFC 4180), piece by piece: a byte order mark, the zone in the heading, nothing calculated."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    text.write("\ufeff")
    lines.writerow([_("Record"), f"{_('Time')} ({zone})", _("Who"), _("User"), _("Action"), _("Action's name"),
                    _("Object"), _("Success"), _("IP address"), _("Request"), _("Detail"), _("Proof")])  # fmt: skip
    left = iter(records)
    while some := list(islice(left, PIECE)):
        standing = standings([record.id for record in some], keys)
        end_read()
        for record in some:
            proof = STANDINGS[standing.get(record.id, Standing.NOT_OURS)]
            lines.writerow([*_cells(record), str(proof)])
        if len(some) == PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cells(record: AuditRecord) -> list[str]:
    shown = row(record)
    words = [record.actor, str(record.actor_id or ""), str(shown["action_label"]), record.action, str(shown["object"]),
             _("yes") if record.success else _("no"), record.address, record.request_id, shown["detail"]]  # fmt: skip
    return [str(record.id), when(record.at), *map(harmless, words)]


def _object(record: AuditRecord) -> str:
    return f"{OBJECTS.get(record.object_type, record.object_type)} {record.object_id}" if record.object_id else ""
