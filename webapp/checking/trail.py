"""Records of the audit trail that the product did not write: those that the sealer has refused, or will."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _

from webapp.audit import refusals
from webapp.foundation.keys import Keys

MOST_NAMED = 1_000


def differences(keys: Keys) -> Iterator[str]:
    """Each such record that still stands. Whether sealed ones are as they were is what `verify-audit` proves."""
    for number in refusals.standing(keys, MOST_NAMED):
        yield _("record %(number)s of the audit trail does not carry our stamp: it was inserted, copied, or changed "
                "before it was sealed", number=number)  # fmt: skip
