"""The names that users' scripts rely on: pages, form fields, hooks in the HTML, answers for machines.

A black box: every promise is written out here, and only HTTP is used. Add freely; a name that changes breaks
somebody's deployment, bookmark or script.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from tests.support.cast import ADMIN, AUDITOR, OPERATOR, PASSWORD, Desk, Member
from webapp.vendor.sandbox.server import Sandbox

Open = Callable[[Member | None], Desk]

NAME, NUMBER, NOBODY_S = "陈小满", "100101199003080023", "100109197001010015"
OUTCOMES = {
    "match": (NAME, NUMBER, "yes"),
    "mismatch": ("林小满", NUMBER, "yes"),
    "no_such_number": (NAME, NOBODY_S, "yes"),
    "invalid_input": ("演练特殊字符", NUMBER, "yes"),
    "maintenance": ("演练系统维护", NUMBER, "yes"),
    "refused": ("演练余量用尽", NUMBER, "no"),
    "unknown": ("演练后端超时", NUMBER, "unknown"),
    "unexpected": ("演练未知编码五", NUMBER, "yes"),
}
ZONE = ZoneInfo("Asia/Shanghai")


class Elements(HTMLParser):
    """Every element of a page with its attributes, also inside templates."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def with_attribute(self, name: str) -> list[dict[str, str]]:
        """The attributes of all elements that have this one."""
        return [attributes for _tag, attributes in self.found if name in attributes]

    def the(self, name: str) -> dict[str, str]:
        """The attributes of the one element that has this one."""
        [one] = self.with_attribute(name)
        return one

    def fields(self) -> dict[str, str]:
        """Form controls by name: what kind each is."""
        controls = [(tag, attributes) for tag, attributes in self.found if tag in ("input", "select", "textarea")]
        return {one["name"]: one.get("type", tag) for tag, one in controls if "name" in one}


def test_the_log_in_takes_mail_address_password_and_csrf_token(desk: Open) -> None:
    nobody = desk(None)
    assert {"email", "password", "csrf_token"} <= Elements(nobody.get("/login").text).fields().keys()

    answer = nobody.post("/login", {"email": OPERATOR.email, "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/")
    assert nobody.get("/").status_code == 200


@pytest.mark.parametrize(
    "page", ["/", "/verify", "/history", "/quota", "/quota/lots/new", "/users", "/settings", "/audit", "/reminders"]
)
def test_a_page_has_its_name_and_asks_for_log_in_first(page: str, desk: Open) -> None:
    assert desk(None).get(page).status_code == 303
    assert desk(ADMIN).get(page).status_code == 200


def test_no_form_is_taken_without_its_csrf_token(desk: Open, sandbox: Sandbox) -> None:
    fields = {"name": NAME, "id_number": NUMBER, "purpose": "1", "consent": "yes"}
    assert desk(OPERATOR).client.post("/verify", data=fields).status_code == 400
    assert sandbox.counts().received == 0


def test_the_desk_has_its_fields_and_a_purpose_from_the_start(desk: Open) -> None:
    page = Elements(desk(OPERATOR).get("/verify").text)
    kinds = page.fields()
    assert {"name", "id_number", "purpose", "consent", "reference", "csrf_token"} <= kinds.keys()
    assert kinds["purpose"] == "select"
    assert [one["value"] for tag, one in page.found if tag == "option"][:1] == ["1"]
    [consent] = [one for tag, one in page.found if tag == "input" and one.get("name") == "consent"]
    assert consent.get("value") == "yes" or consent["type"] == "checkbox"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_its_word_on_the_one_result_card(outcome: str, desk: Open) -> None:
    operator = desk(OPERATOR)
    name, number, billed = OUTCOMES[outcome]

    answer = operator.verify(name, number)

    card = Elements(answer.text).the("data-result")
    assert (card["data-outcome"], card["data-billed"]) == (outcome, billed)
    assert re.fullmatch(r"/verifications/\d+", answer.request.path)
    again = Elements(operator.get(answer.request.path).text).the("data-result")
    assert (again["data-outcome"], again["data-billed"]) == (outcome, billed)
    row = Elements(operator.get("/history").text).the("data-verification")
    assert answer.request.path == f"/verifications/{row['data-verification']}"
    assert row["data-outcome"] == outcome


@pytest.mark.parametrize(
    ("field", "value"), [("id_number", "100101199003080024"), ("name", ""), ("consent", ""), ("purpose", "99")]
)
def test_what_is_wrong_is_blocked_here_and_spends_nothing(field: str, value: str, desk: Open, sandbox: Sandbox) -> None:
    answer = desk(OPERATOR).verify(**{"name": NAME, "id_number": NUMBER} | {field: value})

    card = Elements(answer.text).the("data-result")
    assert (card["data-outcome"], card["data-billed"]) == ("blocked", "no")
    assert 400 <= answer.status_code < 500
    assert sandbox.counts().received == 0


@pytest.mark.parametrize("consent", ["", "no"])
def test_consent_is_needed_where_the_legal_basis_is_consent(consent: str, desk: Open) -> None:
    answer = desk(OPERATOR).verify(NAME, NUMBER, consent=consent)
    assert Elements(answer.text).the("data-result")["data-outcome"] == "blocked"


def test_a_call_is_spent_on_a_recent_result_when_again_says_so(desk: Open, sandbox: Sandbox) -> None:
    operator = desk(OPERATOR)
    operator.verify(NAME, NUMBER)

    answer = operator.verify(NAME, NUMBER, again="yes")

    assert Elements(answer.text).the("data-result")["data-outcome"] == "match"
    assert sandbox.counts().charged == 2


def test_an_empty_product_has_its_figures_too(desk: Open) -> None:
    page = Elements(desk(ADMIN).get("/").text)
    assert [page.the(hook)[hook] for hook in ("data-remaining", "data-total", "data-used-today")] == ["0", "0", "0"]


def test_the_dashboard_and_the_quota_page_carry_the_figures(desk: Open) -> None:
    admin = desk(ADMIN)
    answer = admin.record_lot(1000, order_number="A-1")
    assert answer.request.path == "/quota"
    for outcome in ("match", "no_such_number", "unknown"):
        admin.verify(*OUTCOMES[outcome][:2])

    dashboard = Elements(admin.get("/").text)
    figures = {hook: dashboard.the(hook)[hook] for hook in ("data-remaining", "data-total", "data-used-today")}
    assert figures == {"data-remaining": "997", "data-total": "1000", "data-used-today": "2"}

    quota = Elements(admin.get("/quota").text)
    figures = {hook: quota.the(hook)[hook] for hook in ("data-remaining", "data-total", "data-unknown")}
    assert figures == {"data-remaining": "997", "data-total": "1000", "data-unknown": "1"}
    assert [one["data-lot"] for one in quota.with_attribute("data-lot")] == ["1"]


def test_a_lot_is_recorded_by_its_five_fields(desk: Open) -> None:
    admin = desk(ADMIN)
    fields = Elements(admin.get("/quota/lots/new").text).fields()
    assert {"calls", "bought_on", "expires_on", "price", "order_number", "csrf_token"} <= fields.keys()
    assert admin.record_lot(5, price="", order_number="").status_code == 200
    assert Elements(admin.get("/").text).the("data-remaining")["data-remaining"] == "5"


def test_the_consoles_figures_are_reconciled_by_their_two_fields(desk: Open) -> None:
    admin = desk(ADMIN)
    fields = Elements(admin.get("/quota/reconcile").text).fields()
    assert {"used", "total", "csrf_token"} <= fields.keys()
    assert admin.post("/quota/reconcile", {"used": "6700", "total": "9115"}).status_code == 303
    assert "6700/9115" in re.sub(r"[\s,]", "", admin.get("/quota/reconcile").text)


def test_the_history_refuses_a_search_text_in_the_address(desk: Open) -> None:
    assert desk(OPERATOR).get("/history", query_string={"q": NAME}).status_code == 400


@pytest.mark.parametrize(
    "filters",
    [
        "outcome=match",
        "operator=2",
        "department=1",
        "source=desk",
        "purpose=1",
        "size=1",
        "outcome=&operator=&from=&to=",
    ],
)
def test_the_history_is_filtered_by_the_address(filters: str, desk: Open) -> None:
    operator = desk(OPERATOR)
    operator.verify(NAME, NUMBER)
    answer = operator.get(f"/history?{filters}")
    assert answer.status_code == 200
    assert len(Elements(answer.text).with_attribute("data-verification")) == 1


@pytest.mark.parametrize("filters", ["outcome=mismatch", "operator=2&outcome=unknown", "to=2001-01-01"])
def test_a_filter_leaves_out_what_does_not_fit(filters: str, desk: Open) -> None:
    operator = desk(OPERATOR)
    operator.verify(NAME, NUMBER)
    assert Elements(operator.get(f"/history?{filters}").text).with_attribute("data-verification") == []


@pytest.mark.parametrize("filters", ["from=yesterday", "to=2026-02-30", "outcome=lucky", "size=0", "after=x"])
def test_a_filter_that_means_nothing_is_refused(filters: str, desk: Open) -> None:
    assert 400 <= desk(OPERATOR).get(f"/history?{filters}").status_code < 500


def test_the_days_of_a_filter_are_those_of_the_reporting_zone_both_included(make_app: Callable[..., Flask]) -> None:
    app = make_app(TIMEZONE=ZONE.key)
    instants = [
        datetime(2026, 11, 1, 23, 59, 59, tzinfo=ZONE),
        datetime(2026, 11, 2, 0, 0, 0, tzinfo=ZONE),
        datetime(2026, 11, 3, 23, 59, 59, tzinfo=ZONE),
        datetime(2026, 11, 4, 0, 0, 0, tzinfo=ZONE),
    ]
    for instant in instants:
        with time_machine.travel(instant, tick=False):
            Desk(app, OPERATOR).verify(NAME, NUMBER, again="yes")
    with time_machine.travel(instants[-1] + timedelta(minutes=1), tick=False):
        page = Desk(app, OPERATOR).get("/history?from=2026-11-02&to=2026-11-03").text
        everything = Desk(app, OPERATOR).get("/history").text
    assert [one["data-verification"] for one in Elements(page).with_attribute("data-verification")] == ["3", "2"]
    assert len(Elements(everything).with_attribute("data-verification")) == len(instants)


def test_the_history_goes_on_after_an_opaque_cursor(desk: Open) -> None:
    operator = desk(OPERATOR)
    for _call in range(3):
        operator.verify(NAME, NUMBER, again="yes")
    seen, address = [], "/history?size=1&outcome=match"
    while address:
        page = Elements(operator.get(address).text)
        seen += [one["data-verification"] for one in page.with_attribute("data-verification")]
        address = next((one["href"] for tag, one in page.found if tag == "a" and one.get("rel") == "next"), "")
    assert seen == ["3", "2", "1"]


def test_an_auditor_reads_and_verifies_nobody(desk: Open) -> None:
    auditor = desk(AUDITOR)
    assert auditor.get("/audit").status_code == 200
    assert auditor.get("/verify").status_code == 403


def test_healthz_answers_whoever_asks(desk: Open) -> None:
    assert desk(None).get("/healthz").status_code == 200


def test_readyz_says_what_was_checked_and_what_is_required(desk: Open) -> None:
    answer = desk(None).get("/readyz")
    assert answer.status_code == 200
    told = answer.get_json()
    assert told["status"] == "ok"
    assert {"database", "migrations"} <= told["checks"].keys()
    for check in told["checks"].values():
        assert isinstance(check["ok"], bool)
        assert isinstance(check["detail"], str)
    optional = {name for name, check in told["checks"].items() if check.get("required") is False}
    assert optional.isdisjoint({"database", "migrations"})
    assert all(check["ok"] for name, check in told["checks"].items() if name not in optional)


def test_a_lot_runs_a_year_where_no_last_day_is_given(desk: Open) -> None:
    admin = desk(ADMIN)
    bought = date.today() - timedelta(days=366)  # noqa: DTZ011  # lapsed today in every zone
    admin.record_lot(7, bought_on=(bought - timedelta(days=2)).isoformat(), expires_on="")
    assert Elements(admin.get("/").text).the("data-remaining")["data-remaining"] == "0"
