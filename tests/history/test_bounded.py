"""Any page, and each batch of a file, costs as much in a large history as in a small one: whatever is filtered by,
however deep it lies."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, insert, text

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR
from tests.support.prices import Act, price_of
from webapp.accounts.models import User
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import facts, search_keys, totals
from webapp.history.export_rows import Set
from webapp.history.filters import EPOCH, OLDEST, Cursor, Filters
from webapp.history.queries import page
from webapp.verification.identities import place_value
from webapp.verification.models import Identity, IdentityIndex, LegalBasis, Verification

SMALL, LARGE, SIZE = 7_000, 14_000, 20
MOST = 70_000
"""Steps or rows of the dearest page: some milliseconds."""
KINDS = [("match", "yes", 90), ("mismatch", "yes", 8), ("unknown", "unknown", 1), ("refused", "no", 1)]
CHOSEN: dict[str, Any] = {
    "outcome": "match", "billed": "yes", "operator": COLLEAGUE.id, "department": 2, "source": "desk", "purpose": 1,
    "first": date(2026, 11, 3), "last": date(2026, 11, 4), "province": "演练省", "search": "欧阳",
}  # fmt: skip
SELDOM: dict[str, Any] = {
    "outcome": "refused", "billed": "no", "operator": AUDITOR.id, "department": 1, "source": "batch", "purpose": 2,
    "first": date(2026, 11, 6), "last": date(2026, 11, 2), "province": "示例省", "search": "没有此人",
}  # fmt: skip
"""Of each filter a value that few or none have: with another that many have, nothing fits, and that must be known."""

SEARCHED = ("11010519491231002X", "002X", "7K3M-9QXT-4H2C", "R00000000000000012", "A reference")
"""What else is typed: of each, all that it may be is looked for."""


def asked() -> list[Filters]:
    """No filter, each kind of search, each filter, and each pair, with values that many and that few have."""
    found = [Filters(), *(Filters(search=text) for text in SEARCHED)]
    for values in (CHOSEN, SELDOM):
        found += [Filters(**{name: values[name]}) for name in values]
    for one, other in itertools.permutations(CHOSEN, 2):
        found.append(Filters(**{one: CHOSEN[one], other: SELDOM[other]}))
        if one < other:
            found.append(Filters(**{one: CHOSEN[one], other: CHOSEN[other]}))
    return found


def empty() -> None:
    with transaction() as session:
        for model in (IdentityIndex, Identity, Verification):
            session.execute(delete(model))


def fill(many: int) -> None:
    """Verifications over five days; every operator has one purpose and one department, as in life: mixtures are few."""
    chance, sealer = random.Random(5), this_instance().sealer
    beginning, province = sealer.index("beginning", "欧阳"), sealer.index("province", place_value("演练省"))
    facts, people, found = [], [], []
    for number in range(many):
        outcome, billed, _ = chance.choices(KINDS, [weight for *_, weight in KINDS])[0]
        operator = chance.choice((OPERATOR, COLLEAGUE, ADMIN)).id
        at = NOW + timedelta(days=5) * (number / many)
        facts.append({
            "id": number + 1, "created_at": at, "deadline_at": at, "outcome": outcome, "billed": billed,
            "vendor_code": "", "request_id": f"R{number:08}", "attempts": 1, "source": "desk", "operator_id": operator,
            "department_id": {OPERATOR.id: 1, COLLEAGUE.id: 2}.get(operator), "purpose_id": 1,
            "legal_basis": LegalBasis.CONSENT, "consent": True, "guardian_consent": False,
        })  # fmt: skip
        people.append({"verification_id": number + 1, "sealed": b"unread"})
        found.append({"blind": province, "verification_id": number + 1, "kind": "province"})
        if number % 3 == 0:
            found.append({"blind": beginning, "verification_id": number + 1, "kind": "beginning"})
    with transaction() as session:
        session.execute(insert(Verification), facts)
        session.execute(insert(Identity), people)
        session.execute(insert(IdentityIndex), found)
    if db.engine.dialect.name == "postgresql":  # told as of rows that have stood a while, or chance picks its plan
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (FREEZE, ANALYZE)"))


def look(filters: Filters, cursor: Cursor | None = None) -> None:
    page(filters, db.session.get_one(User, ADMIN.id), this_instance(), SIZE, cursor)


def scope_of(filters: Filters) -> facts.Scope | None:
    return facts.scope_of(filters, db.session.get_one(User, ADMIN.id), this_instance().settings.zone)


def export(filters: Filters) -> Set:
    return Set(filters, ADMIN.id, this_instance(), NOW + timedelta(days=9))


def _price(act: Act) -> int:
    return price_of(act, "verification", "identity_index")


def price(filters: Filters, cursor: Cursor | None = None) -> int:
    return _price(lambda: look(filters, cursor))


@pytest.mark.usefixtures("context")
def test_no_pair_of_filters_costs_more_in_a_larger_history() -> None:
    fill(SMALL)
    before = {filters: price(filters) for filters in asked()}
    empty()
    fill(LARGE)

    after = {filters: price(filters) for filters in asked()}

    grown = [(filters, filters.search, cost, after[filters]) for filters, cost in before.items()
             if after[filters] > min(MOST, 1.2 * cost + 3_000)]  # fmt: skip
    assert grown == []


@pytest.mark.usefixtures("context")
def test_neither_beginning_a_file_nor_its_batches_cost_more_in_a_larger_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(totals, "total", lambda *_: None)  # the dearer way: the counters do not know

    middle = f"{(NOW + timedelta(days=2) - EPOCH) // timedelta(microseconds=1)}:{SMALL // 4}"

    def prices() -> dict[tuple[str, Filters], int]:
        wanted = asked()
        some = [*wanted[: 1 + 2 * len(CHOSEN)], *wanted[1 + 2 * len(CHOSEN) :: 6]]  # each filter, and some of the pairs
        files = {filters: export(filters) for filters in some}
        first = {("first", one): _price(partial(file.batch, "", SIZE)) for one, file in files.items()}
        exceeding = {("exceeds", one): _price(partial(file.exceeds, SIZE)) for one, file in files.items()}
        with monkeypatch.context() as patch:
            patch.setattr(facts, "MOST_SHOWN", SIZE)  # so that it is a batch of many rows
            later = {("later", one): _price(partial(file.batch, middle, SIZE + 10)) for one, file in files.items()}
        return first | exceeding | later

    fill(SMALL)
    before = prices()
    empty()
    fill(LARGE)

    after = prices()

    grown = [(what, what[1].search, cost, after[what]) for what, cost in before.items()
             if after[what] > min(2 * MOST, 1.2 * cost + 3_000)]  # fmt: skip
    assert grown == []


@pytest.mark.usefixtures("context")
def test_a_search_with_filters_never_reads_all_that_fits_them_however_the_database_would_join() -> None:
    wanted = [Filters(search="欧阳", **{name: CHOSEN[name]}) for name in CHOSEN if name != "search"]

    def find(filters: Filters) -> None:
        if db.engine.dialect.name == "postgresql":  # what its statistics sometimes make it believe
            db.session.execute(text("SET LOCAL enable_nestloop = off"))
            db.session.execute(text("SET LOCAL enable_seqscan = off"))  # a table as small as this one is read at once
        keys, scope = search_keys.keys(filters, this_instance().sealer), scope_of(filters)
        assert keys is not None
        assert scope is not None
        search_keys.find(keys, scope, None, SIZE)

    fill(SMALL)
    prices = {one: _price(partial(find, one)) for one in wanted}

    most = (2 if db.engine.dialect.name == "postgresql" else 5) * search_keys.LOOKED_AT
    assert [(one, cost) for one, cost in prices.items() if cost > most] == []


@pytest.mark.usefixtures("context")
def test_no_page_costs_more_the_deeper_it_lies() -> None:
    fill(LARGE)
    at = NOW + timedelta(days=2.5)
    places = (Cursor.beside(at, LARGE // 2, older=True), Cursor.beside(at, LARGE // 2, older=False), OLDEST)
    for filters in [Filters(), *(Filters(**{name: value}) for name, value in CHOSEN.items())]:
        first = price(filters)

        assert max(price(filters, place) for place in places) <= 1.2 * first + 3_000, (filters, filters.search)
