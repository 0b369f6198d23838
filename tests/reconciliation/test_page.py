"""The reconciliation page: what admins read there and enter, beside which field a fault is said, and who may not."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.accounts.browsing import said_beside
from tests.reconciliation.counting import call, enter, readings, unknown
from tests.support.cast import ADMIN, AUDITOR, OPERATOR, Desk, Member, attribute
from tests.verification.calls import buy, differences, lot_figures, outcomes, somebody
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db
from webapp.foundation.runtime import StoredSetting
from webapp.vendor.sandbox.meter import KEY
from webapp.vendor.sandbox.meter_scenarios import MeterScenario
from webapp.vendor.sandbox.server import Sandbox

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MakeApp = Callable[..., Flask]
Open = Callable[[Member | None], Desk]
PAGE = "/quota/reconcile"
ENGLISH = {"Accept-Language": "en"}


def look(desk: Desk, query: str = "") -> str:
    answer = desk.get(PAGE + query, headers=ENGLISH)
    assert answer.status_code == 200
    return answer.text


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def send(desk: Desk, used: str, total: str, **more: str) -> TestResponse:
    return desk.post(PAGE, {"used": used, "total": total} | more, headers=ENGLISH)


@pytest.mark.parametrize("member", [OPERATOR, AUDITOR, None])
def test_only_admins_reconcile(app: Flask, desk: Open, member: Member | None) -> None:
    visitor = desk(member)
    expected = 303 if member is None else 403

    assert visitor.get(PAGE).status_code == expected
    for path in ("", "/ask", "/settle", "/rebase", "/access-key"):
        assert visitor.post(PAGE + path, {"used": "1", "total": "2"}).status_code == expected, path
    assert readings(app) == []
    assert "/quota/reconcile" not in (visitor.get("/quota").text if member else "")


def test_the_quota_leads_an_admin_to_it(desk: Open) -> None:
    assert f'href="{PAGE}"' in desk(ADMIN).get("/quota").text
    assert re.search(r'<a[^>]*href="/quota"[^>]*aria-current', look(desk(ADMIN))), "it belongs to the quota"


def test_before_the_first_reading_the_page_says_what_to_do(desk: Open) -> None:
    page = look(desk(ADMIN))

    assert "No reading yet" in page
    assert "data-verdict" not in page
    assert "drift-chart" not in page


def test_the_consoles_figures_are_entered_and_compared(app: Flask, desk: Open) -> None:
    buy(app, 100)
    admin = desk(ADMIN)
    assert send(admin, "6700", "9115").status_code == 303
    assert "From here on we compare: 6,700 of 9,115 calls used." in words(look(admin))

    call(app, 1)
    send(admin, "6701", "9115")
    page = look(admin)
    assert (attribute(page, "data-verdict"), attribute(page, "data-drift")) == ("agreed", "0")

    send(admin, "6718", "9115")
    page = look(admin)
    assert (attribute(page, "data-verdict"), attribute(page, "data-drift")) == ("more", "17")
    assert "17 calls this product did not make: is the AppCode used elsewhere?" in words(page)


@pytest.mark.parametrize(
    ("used", "total", "beside"),
    [
        ("", "9115", "used"), ("6700", "", "total"), ("9116", "9115", "used"), ("-1", "9115", "used"),
        ("6700.5", "9115", "used"), ("1e3", "9115", "used"), ("1_0", "9115", "used"), ("6700", "0", "total"),
        ("6700", "1000000001", "total"), ("9" * 5000, "9115", "used"), ("six", "9115", "used"), ("6,7", "9115", "used"),
        ("[6700/9115]", "9115", "used"),
    ],
)  # fmt: skip
def test_what_is_no_number_of_calls_is_said_beside_its_field(
    app: Flask, desk: Open, used: str, total: str, beside: str
) -> None:
    answer = send(desk(ADMIN), used, total)

    assert answer.status_code == 422
    assert said_beside(answer, beside)
    assert readings(app) == []


def test_a_field_sent_twice_is_a_fault(app: Flask, desk: Open) -> None:
    assert desk(ADMIN).post(PAGE, {"used": ["1", "2"], "total": "5"}).status_code == 422
    assert readings(app) == []


def test_an_older_reading_is_refused_with_a_way_out(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    send(admin, "6700", "9115")
    assert 'name="anew"' not in look(admin)

    answer = send(admin, "6000", "8000")
    assert answer.status_code == 422
    assert "6,700 calls were used at" in said_beside(answer, "used")
    assert 'name="anew"' in answer.text

    assert send(admin, "6000", "8000", anew="yes").status_code == 303
    assert [reading.used for reading in readings(app)] == [6700, 6000]


def test_a_total_that_grew_asks_for_the_lot(desk: Open) -> None:
    admin = desk(ADMIN)
    send(admin, "0", "1000")
    send(admin, "0", "6000")

    page = look(admin)
    assert "The vendor's total grew by 5,000 calls more than the lots recorded here" in words(page)
    assert 'href="/quota/lots/new"' in page


def test_unknown_calls_are_listed_and_settled_at_once_with_a_reason(app: Flask, desk: Open) -> None:
    lot = buy(app, 10)
    admin = desk(ADMIN)
    send(admin, "0", "1000")
    made = [unknown(app, n) for n in range(2)]
    send(admin, "2", "1000")

    page = look(admin)
    assert re.findall(r'data-unknown-verification="(\d+)"', page) == [str(number) for number in made]
    assert all(f'href="/verifications/{number}"' in page for number in made)
    assert attribute(page, "data-offered") == "charged"
    assert "Settle these 2 as charged" in words(page)

    decision = {"reading": "2", "decision": "charged"}
    refused = admin.post(f"{PAGE}/settle", decision | {"reason": ""}, headers=ENGLISH)
    assert (refused.status_code, bool(said_beside(refused, "settle-reason"))) == (422, True)
    assert admin.post(f"{PAGE}/settle", decision | {"reason": "账单"[:1]}).status_code == 422
    naming = admin.post(f"{PAGE}/settle", decision | {"reason": f"问过{somebody(1)[0]}"}, headers=ENGLISH)
    assert (naming.status_code, "Leave names" in said_beside(naming, "settle-reason")) == (422, True)
    assert outcomes(app)["unknown", "unknown", "no_answer"] == 2
    assert admin.post(f"{PAGE}/settle", decision | {"reason": "账单第 3 行"}).status_code == 303
    assert lot_figures(app, lot) == (8, 0, 2)
    assert attribute(look(admin), "data-verdict") == "agreed"


def test_a_decision_that_is_none_is_refused(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    send(admin, "0", "1000")
    unknown(app, 1)
    send(admin, "1", "1000")
    for bad in ({"decision": "ask_again"}, {"decision": ""}, {"reading": "x"}, {"reading": ""}):
        asked = {"reading": "2", "decision": "charged", "reason": "账单第 3 行"} | bad
        assert admin.post(f"{PAGE}/settle", asked).status_code == 422, bad
    answer = admin.post(f"{PAGE}/settle", {"reading": "1", "decision": "charged", "reason": "账单第 3 行"},
                        follow_redirects=True, headers=ENGLISH)  # fmt: skip
    assert "The figures have changed meanwhile" in answer.text
    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 1}


def test_the_books_are_rebased_with_a_reason_and_the_ledger_shows_it(app: Flask, desk: Open) -> None:
    lot = buy(app, 100)
    admin = desk(ADMIN)
    send(admin, "0", "1000")
    send(admin, "17", "1000")

    page = look(admin)
    assert attribute(page, "data-rebase") == "17"
    assert f"17 calls of lot #{lot} are booked as used elsewhere; its size stays." in words(page)
    asked = {"reading": "2", "drift": "17"}
    refused = admin.post(f"{PAGE}/rebase", asked | {"reason": "\x07abc"}, headers=ENGLISH)
    assert (refused.status_code, bool(said_beside(refused, "rebase-reason"))) == (422, True)
    assert admin.post(f"{PAGE}/rebase", asked | {"reason": "别处误用"}).status_code == 303

    page = look(admin)
    assert (attribute(page, "data-verdict"), "data-rebase" in page) == ("agreed", False)
    assert "别处误用" in admin.get("/quota").text
    assert "别处已用" in admin.get("/quota").text
    assert lot_figures(app, lot) == (83, 0, 0)
    assert differences(app) == []


def test_what_the_lots_cannot_bear_is_said_before(app: Flask, desk: Open) -> None:
    buy(app, 5)
    admin = desk(ADMIN)
    send(admin, "0", "1000")
    send(admin, "17", "1000")

    assert "12 calls more than the lots have left are not corrected." in words(look(admin))


def test_the_button_asks_the_vendor_and_a_failure_is_shown_until_a_reading_follows(
    desk: Open, sandbox: Sandbox
) -> None:
    admin = desk(ADMIN)
    sandbox.change(meter_scenario=MeterScenario.WRONG_INVARIANT)
    answer = admin.post(f"{PAGE}/ask", follow_redirects=True, headers=ENGLISH)
    assert attribute(answer.text, "data-failing") == "invariant"
    assert "Remaining and used calls do not make the total" in words(answer.text)

    sandbox.change(meter_scenario=None, elsewhere=3)
    page = admin.post(f"{PAGE}/ask", follow_redirects=True, headers=ENGLISH).text
    assert "data-failing" not in page
    assert attribute(page, "data-failure") == "invariant", "it stays listed"
    assert "3 / 1,000,000" in words(page)


def test_within_the_hour_the_button_says_when(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = make_app(METERING_URL=sandbox.metering_url, ACCESS_KEY_ID=KEY.id, ACCESS_KEY_SECRET=KEY.secret)
    admin = Desk(app, ADMIN)
    admin.post(f"{PAGE}/ask")

    page = admin.post(f"{PAGE}/ask", follow_redirects=True, headers=ENGLISH)

    assert "The vendor is asked once an hour at most; next at" in page.text
    assert len(readings(app)) == 1


def test_the_chart_and_its_table_hold_the_same(app: Flask, desk: Open) -> None:
    for used in (0, 3, 9):
        enter(app, used)
    page = look(desk(ADMIN))

    found = re.search(r'<script type="application/json" id="drift-chart-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert {line["key"]: line["values"] for line in data["lines"]} == {"drift": [0, 3, 9], "open": [0, 0, 0]}
    assert data["notes"] == {"0": "Comparing begins"}
    table = page.split('id="drift-chart-data"')[1].split("</table>")[0]
    assert [words(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", table)] == [
        "9", "0", "", "3", "0", "", "0", "0", "Comparing begins",
    ]  # fmt: skip
    assert data["places"][::-1] == re.findall(r'class="when">([^<]+)<', table)
    assert "Asia/Shanghai" in page


def test_older_readings_are_on_further_pages(app: Flask, desk: Open) -> None:
    for used in range(60):
        enter(app, used)
    admin = desk(ADMIN)
    seen, query = [], ""
    while query is not None:
        page = look(admin, query)
        seen += [int(number) for number in re.findall(r'data-reading="(\d+)"', page)]
        following = re.search(r'href="/quota/reconcile(\?before=\d+)#readings" rel="next"', page)
        query = following[1] if following else None  # type: ignore[assignment]

    assert seen == list(range(60, 0, -1))


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "9" * 40, "٣"])
def test_a_page_that_means_nothing_is_refused(desk: Open, before: str) -> None:
    assert desk(ADMIN).get(PAGE, query_string={"before": before}).status_code == 400


def test_the_access_key_is_sealed_never_shown_and_can_be_forgotten(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = make_app(METERING_URL=sandbox.metering_url)
    admin = Desk(app, ADMIN)
    assert "Ask the vendor now" not in look(admin)

    form = {"access_key_id": KEY.id, "access_key_secret": f" {KEY.secret} "}
    assert admin.post(f"{PAGE}/access-key", form).status_code == 303

    assert "Ask the vendor now" in look(admin)
    admin.post(f"{PAGE}/ask")
    assert len(readings(app)) == 1
    for page in ("/settings", f"{PAGE}/access-key", PAGE):
        assert KEY.secret not in admin.get(page).text
    with app.app_context():
        assert KEY.secret.encode() not in db.session.get_one(StoredSetting, "YULIANG_ACCESS_KEY_SECRET").sealed
        record = db.session.query(AuditRecord).filter_by(action=Action.SETTING_CHANGED).one()
        assert record.detail == {"setting": "YULIANG_ACCESS_KEY_ID", "forgotten": False}

    assert admin.post(f"{PAGE}/access-key", {"forget": "y"}).status_code == 303
    assert "Ask the vendor now" not in look(admin)


@pytest.mark.parametrize(
    ("key", "secret", "beside"),
    [("", "s", "access_key_id"), ("k", "", "access_key_secret"), ("a b", "s", "access_key_id"),
     ("k", "密", "access_key_secret"), ("k", "x" * 201, "access_key_secret")],
)  # fmt: skip
def test_what_is_no_key_is_said_and_never_repeated(
    make_app: MakeApp, sandbox: Sandbox, key: str, secret: str, beside: str
) -> None:
    admin = Desk(make_app(METERING_URL=sandbox.metering_url), ADMIN)

    answer = admin.post(f"{PAGE}/access-key", {"access_key_id": key, "access_key_secret": secret}, headers=ENGLISH)

    assert answer.status_code == 422
    assert said_beside(answer, beside)
    assert not secret or f'value="{secret}"' not in answer.text


def test_a_key_of_the_environment_cannot_be_changed_here(make_app: MakeApp) -> None:
    admin = Desk(make_app(ACCESS_KEY_ID="fixed", ACCESS_KEY_SECRET="fixed"), ADMIN)

    answer = admin.post(f"{PAGE}/access-key", {"access_key_id": "k", "access_key_secret": "s"}, headers=ENGLISH)

    assert answer.status_code == 409
    assert "The environment fixes this setting" in answer.text


def test_a_notice_leads_here(app: Flask, desk: Open) -> None:
    for used in (0, 10, 20):
        enter(app, used)
    page = desk(ADMIN).get("/", headers=ENGLISH).text

    assert "The vendor counted 20 calls more than this product made." in words(page)
    assert f'<a href="{PAGE}">' in page
    assert "20 calls more" not in desk(OPERATOR).get("/", headers=ENGLISH).text
