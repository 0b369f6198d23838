"""When everything goes that is sealed, or was made from something secret under a key: one line for each such column.

A test asks every column of the models whether it stands here, lets what is erased be erased and what ends end, and
looks whether anything of it is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from webapp.accounts.operations import WINDOW as FAILURES_COUNT
from webapp.accounts.sessions import SHIFT
from webapp.history import export_operations, search_operations
from webapp.retention.rules import Kind
from webapp.verification import privacy, tokens

HOUR = timedelta(hours=1)
"""How often the jobs that forget look, at least."""


class End(NamedTuple):
    """`after`: the class that it is purged with, or the longest that it stands; None: it ends by what `why` says.
    `erased`: it goes at once when the person whom it is about is erased."""

    after: Kind | timedelta | None
    erased: bool
    why: str


_PERSON = End(Kind.IDENTITY, True, "whom a verification was about, and all that finds them, go in one transaction")
_CHAIN = End(Kind.AUDIT, False, "dropped in whole segments, the newest stays: a seal tells nothing of anybody")
_CHECKPOINT = End(None, False, "one row, replaced whenever segments are dropped: what is left is proven by it")
_TRIED_OUT = End(privacy.KEPT + HOUR, True, "auditors are told for so long that a name or number was tried out")

COLUMNS: Mapping[str, End] = {
    "identity.sealed": _PERSON,
    "identity_index.blind": _PERSON,
    "reuse_reference.sealed": _PERSON,
    "reuse_reference.blind": _PERSON,
    "receipt_salt.sealed": _PERSON,
    "receipt.commitment": End(None, False, "proves a receipt to its holder for ever; without the salt it names nobody"),
    "verification.sending_person": End(
        HOUR, False, "gone with the answer, or when the call is given up; until then nothing of it is erased"
    ),
    "spent_form.content": End(tokens.REMEMBERED + HOUR, True, "a form that is sent again is known for so long"),
    "stored_search.sealed": End(search_operations.LASTING + HOUR, True, "a search can be paged through for a shift"),
    "saved_view.sealed": End(Kind.VIEWS, True, "gone when nobody opens it, or its owner deletes it or is switched off"),
    "export.sealed_order": End(
        4 * export_operations.LASTING + HOUR, True, "waits for an approver, is prepared, waits for its owner, is sent"
    ),
    "export_piece.sealed": End(
        3 * export_operations.LASTING + HOUR,
        True,
        "prepared, waiting and on its way a day each; gone once its owner has it",
    ),
    "legal_hold.sealed": End(None, False, "stands until the hold is lifted: it is what refuses the erasure"),
    "notice.key": _TRIED_OUT,
    "notice.params": _TRIED_OUT,
    "audit_record.subject": End(Kind.AUDIT, False, "who looked for a person is asked after the erasure too"),
    "audit_record.stamp": End(Kind.AUDIT, False, "goes with its record: it only tells that the product wrote it"),
    "audit_segment.previous": _CHAIN,
    "audit_segment.content": _CHAIN,
    "audit_segment.marks": _CHAIN,
    "audit_segment.seal": _CHAIN,
    "audit_checkpoint.head": _CHECKPOINT,
    "audit_checkpoint.seal": _CHECKPOINT,
    "login_session.token": End(SHIFT + HOUR, False, "of a user's browser"),
    "login_failure.account": End(2 * FAILURES_COUNT + HOUR, False, "of who tried to log in"),
    "app_user.password_hash": End(None, False, "of a user, as long as the account stands"),
    "setting.sealed": End(None, False, "the instance's own secrets: nobody who was verified"),
}
"""By `table.column`."""
