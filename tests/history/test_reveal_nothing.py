"""What masked pages, papers and files show of one person, taken together: never enough to rebuild the number."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, CAST, NOW, OPERATOR, Desk, Member
from webapp.foundation.database import db, transaction
from webapp.persons.disclosure import MASKED, Part, may_stand_together
from webapp.verification.identities import Person
from webapp.verification.models import Reuse

Open = Callable[[Member | None], Desk]
NUMBER = "110105197607130625"
RAW = json.dumps(
    {"name": "欧阳演练", "idNo": NUMBER, "respCode": "0005", "province": "甲演省", "city": "乙演市", "county": "丙演县",
     "birthday": "19760713", "sex": "F", "age": "47", "born": "1976-07-13"}, ensure_ascii=False, indent=1,
)  # fmt: skip
PERSON = Person("欧阳演练", NUMBER, "业务-7788", "甲演省", "乙演市", "丙演县", "19760713", "F", "47", RAW)
SIGNS: dict[Part, str] = {
    Part.FIRST: r"1\*{16}5", Part.LAST: r"1\*{16}5", Part.LAST_FOUR: r"(?<![0-9a-f])0625(?![0-9a-f])",
    Part.PROVINCE: "甲演省", Part.CITY: "乙演市", Part.COUNTY: "丙演县|110105", Part.BIRTHDAY: "1976-?07-?13",
    Part.AGE: r"\W47\W*(岁|</dd>|\")", Part.SEX: r"<dd>(Female|女)|\"sex\": \"F",
}  # fmt: skip
"""How each piece of the number would stand on a page."""


@pytest.fixture
def row(app: Flask) -> int:
    """The operator's verification of long ago, with an answer that nobody expected; another one was reused."""
    with app.app_context(), transaction() as session:
        store(NOW, person=PERSON, outcome="match")
        [unexpected] = store(NOW, person=PERSON, outcome="unexpected", vendor_code="0005")
        session.add(Reuse(at=NOW, verification_id=1, operator_id=OPERATOR.id, consent=True, guardian_consent=False))
    return unexpected


def seen(desk: Desk, row: int) -> dict[str, str]:
    """Every page and file on which this member meets the person, as text."""
    addresses = ["/history", "/verifications/1", f"/verifications/{row}", "/reuses/1", "/history/export?format=csv",
                 "/unknowns", "/audit", "/history/export", "/history/exports", "/verifications/1/reveal"]  # fmt: skip
    texts = {address: text(desk, address) for address in addresses}
    issued = desk.post("/verifications/1/receipt")
    if issued.location and "/receipts/" in issued.location:
        texts |= {"receipt": text(desk, issued.location), "paper": text(desk, f"{issued.location}/print")}
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(desk.get("/history/export?format=xlsx").data))
    return texts | {"xlsx": str(sheet.get_sheet_by_index(0).to_python())}


def text(desk: Desk, address: str) -> str:
    answer = desk.get(address)
    return answer.data.decode() if answer.status_code == 200 else ""


def pieces(texts: dict[str, str]) -> dict[Part, list[str]]:
    """Where each piece of the number is shown."""
    found = {part: [where for where, text in texts.items() if re.search(sign, text)] for part, sign in SIGNS.items()}
    return {part: where for part, where in found.items() if where}


@pytest.mark.parametrize("member", CAST, ids=lambda member: member.email.partition("@")[0])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_all_that_one_reader_finds_stays_far_from_the_number(desk: Open, row: int, member: Member) -> None:
    texts = seen(desk(member), row)
    found = pieces(texts)

    assert NUMBER not in "".join(texts.values())
    assert set(found) <= MASKED, found
    assert may_stand_together(found)
    if member in (ADMIN, AUDITOR, OPERATOR):
        assert {Part.FIRST, Part.LAST, Part.PROVINCE, Part.SEX} <= set(found), "the signs are found where they stand"
        assert {"/history", "/verifications/1", "xlsx", "/history/export?format=csv"} <= set(found[Part.FIRST])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_revealed_page_shows_what_the_signs_look_for(app: Flask, row: int) -> None:
    """That the test above can fail."""
    from webapp.verification import cards, queries

    with app.test_request_context(headers={"Accept-Language": "en"}):
        card = cards.card(queries.any_verification(1), PERSON, full=True, locale="en")  # type: ignore[arg-type]
        shown = f"{card.number} {card.derived} {RAW}".replace(" ", "")
        db.session.remove()

    assert {Part.CITY, Part.COUNTY, Part.BIRTHDAY} <= set(pieces({"": shown}))
