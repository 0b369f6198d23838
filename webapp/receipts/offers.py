"""What the page of a result offers: its receipt, or to issue one."""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask, url_for
from flask_login import current_user

from webapp.accounts.permissions import may
from webapp.foundation.database import db
from webapp.receipts import paper, queries
from webapp.receipts.operations import CONCLUSIONS
from webapp.verification.models import Identity, Reuse, Verification


class Offer(NamedTuple):
    """The address of the receipt, else where to POST for one; both empty: there is none to be had."""

    url: str = ""
    issue_url: str = ""


def install(app: Flask) -> None:
    """Gives the pages of results `receipt_of` and `receipt_of_reuse`, asked only where a page draws them."""
    app.jinja_env.globals.update(receipt_of=of_verification, receipt_of_reuse=of_reuse)


def of_verification(verification_id: int) -> Offer:
    """For a verification that the reader may see."""
    row, known = db.session.get(Verification, verification_id), queries.of_verification(verification_id)
    if known is not None:
        return Offer(url=url_for("receipts.show", number=paper.grouped(known.number)))
    to_issue = row is not None and row.outcome in CONCLUSIONS and may(current_user.role, "receipts.issue")
    if not to_issue or db.session.get(Identity, verification_id) is None:
        return Offer()
    return Offer(issue_url=url_for("receipts.issue", id=verification_id))


def of_reuse(reuse_id: int) -> Offer:
    """For a reuse that the reader may see."""
    row, known = db.session.get(Reuse, reuse_id), queries.of_reuse(reuse_id)
    if known is not None:
        return Offer(url=url_for("receipts.show", number=paper.grouped(known.number)))
    gone = row is None or db.session.get(Identity, row.verification_id) is None
    if gone or not may(current_user.role, "receipts.issue_reused"):
        return Offer()
    return Offer(issue_url=url_for("receipts.issue_reused", id=reuse_id))
