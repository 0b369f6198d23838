"""A walk past every page of the product, in every state that a reader can meet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import expect

from tests.journeys.filling import CARDS_OF_EACH_TONE
from tests.journeys.visitor import Visitor
from tests.support.cast import ADMIN, OPERATOR, PASSWORD
from webapp import create_app
from webapp.settings import read_settings

NO_PAGES = {"static", "watching.healthz", "watching.readyz", "watching.metrics", "accounts.first_run", "accounts.login",
            "lock.state", "dashboard.file", "usage.burn_down", "reconciliation.drift"}  # fmt: skip
"""Endpoints that answer no reader who is logged in, or answer with a file."""
EMPTY_FORMS = ("/verify", "/quota/lots/new", "/users/new", "/users/2", "/settings", "/profile",
               "/receipts/verify", "/quota/reconcile", "/quota/reconcile/access-key", "/settings/calendar",
               "/settings/caps", "/quota/opening", "/quota/opening/packages", "/quota/lots/1/correct",
               "/quota/lots/2/change", "/quota/lots/2/refund", "/settings/deductions", "/audit/person",
               "/verifications/1/reveal", "/history/export", "/rights")  # fmt: skip
"""Pages whose form is refused when it is sent as nothing."""
NOTHING_FOUND, FILTER_REFUSED = "from=2001-01-01&to=2001-01-01", "from=2001-01-02&to=2001-01-01"
ADDRESSES = (f"/history?outcome=match&{NOTHING_FOUND}", f"/history?{FILTER_REFUSED}", f"/audit?{NOTHING_FOUND}",
             f"/audit?{FILTER_REFUSED}", "/quota/lots/2", "/quota/lots/5", "/quota/lots/5/reopen",
             "/quota/lots/1/cover", "/quota/ledger?kind=supply", "/quota/ledger?from=2026-13-01",
             f"/usage?{NOTHING_FOUND}", f"/usage?{FILTER_REFUSED}", "/usage?step=hour&stack=operator",
             "/retention/classes/identity",
             "/nothing-here")  # fmt: skip
EVERYTHING_OPEN = "/ with all that opens open"


def pages(instance: Path) -> list[str]:
    """The address of every page that needs nothing more, as the product has them: a new one is walked past too."""
    app = create_app(read_settings({"YULIANG_INSTANCE": str(instance)}))
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    return sorted(rule.rule for rule in rules if rule.endpoint not in NO_PAGES)


def past_a_product_in_use(visitor: Visitor, addresses: list[str], first: int) -> Iterator[str]:
    """Yields what the window shows, once it is drawn. Of what is one page beside the other it is every second, from
    the one numbered `first` on: two walks, from 0 and from 1, pass every page."""
    yield from _before_log_in(visitor)
    visitor.log_in(ADMIN)
    for address in addresses[first::2]:
        if (status := visitor.open(address)) != 200:
            visitor.faults.append(f"{status} for {address}")
        yield _settled(visitor, address)
    for number in CARDS_OF_EACH_TONE:
        visitor.open(f"/verifications/{number}")
        yield f"verification {number}, masked"
    yield from _receipt(visitor)
    yield from _in_plaintext(visitor)
    yield _looks(visitor)
    yield from _rights(visitor)
    for address in EMPTY_FORMS[first::2]:
        yield _refused(visitor, address)
    for address in ADDRESSES[first::2]:
        visitor.open(address)
        yield address
    visitor.open("/")
    _open_everything(visitor)
    yield EVERYTHING_OPEN
    visitor.log_out()
    visitor.log_in(OPERATOR)
    visitor.open("/verifications/1")
    yield "verification 1, in full"
    assert visitor.open("/users") == 403
    yield "what one may not open"


def past_the_first_run(visitor: Visitor) -> Iterator[str]:
    """The page of the first start, plain and refused."""
    visitor.open("/first-run")
    yield "/first-run"
    yield _refused(visitor, "/first-run")


def past_an_empty_product(visitor: Visitor) -> Iterator[str]:
    """The pages of a product that has an admin and nothing else."""
    visitor.log_in(ADMIN)
    for address in ("/", "/history", "/quota"):
        visitor.open(address)
        yield f"{address} with nothing to show"


def _before_log_in(visitor: Visitor) -> Iterator[str]:
    visitor.open("/login")
    yield "/login"
    visitor.page.fill("[name=email]", "nobody@yuliang.test")
    visitor.page.fill("[name=password]", "wrong")
    with visitor.page.expect_navigation():
        visitor.press(visitor.words.log_in)
    yield "/login, refused"


def _refused(visitor: Visitor, address: str) -> str:
    """Empties and sends the page's form."""
    visitor.open(address)
    form = visitor.page.locator("main form[method=post]").last
    for field in form.locator("input:visible:not([type=checkbox])").all():
        field.fill("")
    form.locator("button.btn-primary").click()
    expect(visitor.page.locator("[aria-invalid=true]")).not_to_have_count(0)
    return f"{address}, refused"


def _settled(visitor: Visitor, address: str) -> str:
    drawn = "[...document.querySelectorAll('[data-chart]')].every((box) => box.dataset.drawn)"
    visitor.page.wait_for_function(drawn)
    return address


def _receipt(visitor: Visitor) -> Iterator[str]:
    """A receipt and its sheet of paper."""
    visitor.open("/verifications/1")
    visitor.page.eval_on_selector_all("[target=_blank]", "all => all.forEach((one) => one.removeAttribute('target'))")
    with visitor.page.expect_navigation():
        visitor.page.locator("[data-receipt-link]").click()
    yield "a receipt"
    visitor.open(f"{visitor.path}/print")
    yield "a receipt's sheet"


def _looks(visitor: Visitor) -> str:
    """Who looked for the one person whom the operator verified first."""
    visitor.open("/audit/person")
    visitor.page.fill("[name=name]", "张三")
    with visitor.page.expect_navigation():
        visitor.page.locator("main form[method=post] button.btn-primary").click()
    assert visitor.page.locator("main tbody tr").count()
    return "who looked for somebody"


def _rights(visitor: Visitor) -> Iterator[str]:
    """The request of the one person whom the operator verified first, up to where something would be done; a hold."""
    for form in ("", "/rights/export", "/rights/erase", "/rights/hold"):
        visitor.open("/rights")
        visitor.page.fill("[name=name]", "张三")
        visitor.page.fill("[name=id_number]", "11010519491231002X")
        with visitor.page.expect_navigation():
            visitor.page.locator("main form[method=post] button.btn-primary").click()
        if form:
            with visitor.page.expect_navigation():
                visitor.page.locator(f"main form[action='{form}'] button").click()
        yield f"a person's request {form}"
    visitor.open("/retention")
    visitor.page.fill("[name=verification]", "1")
    visitor.page.fill("[name=words]", "case 2026-17")
    with visitor.page.expect_navigation():
        visitor.page.locator("main form[action='/retention/holds'] button").click()
    yield "a legal hold"
    with visitor.page.expect_navigation():
        visitor.page.locator("main [data-hold] a.btn-mini").first.click()
    yield "lifting a hold"


def _in_plaintext(visitor: Visitor) -> Iterator[str]:
    """Somebody revealed, and a plaintext export that waits for its approver."""
    for address, shown in (("/verifications/1/reveal", "somebody revealed"), ("/history/export", "an export")):
        visitor.open(address)
        form = visitor.page.locator("main form[method=post]").last
        form.locator("[name=reason]").select_option("audit")
        form.locator("[name=words]").fill("case 2026-17")
        for password in form.locator("[name=password]").all():  # asked once in a while
            password.fill(PASSWORD)
        with visitor.page.expect_navigation():
            form.locator("button.btn-primary").click()
        assert not visitor.page.locator("[aria-invalid=true]").count()
        yield shown


def _open_everything(visitor: Visitor) -> None:
    _settled(visitor, "/")
    for summary in reversed(visitor.page.locator("summary:visible").all()):  # an open menu lies over the page
        summary.click()
