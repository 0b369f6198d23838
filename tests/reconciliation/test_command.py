"""`yuliang reconcile`: exit 0 where the books agree with the vendor's counter, 1 where not or where none is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.reconciliation.counting import call, enter, readings, unknown
from tests.verification.calls import buy
from webapp import cli
from webapp.vendor.sandbox.meter import KEY
from webapp.vendor.sandbox.meter_scenarios import MeterScenario
from webapp.vendor.sandbox.server import Sandbox

MakeApp = Callable[..., Flask]
Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command on the test's application: exit code, standard output, standard error."""

    def reconcile(*arguments: str, on: Flask | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(cli, "open_known", lambda _environ: on or app)
        capsys.readouterr()
        code = cli.main(["reconcile", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return reconcile


def test_it_reads_the_counter_and_says_that_the_books_agree(run: Run, app: Flask, sandbox: Sandbox) -> None:
    buy(app, 1_000_000)
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "From here on we compare: 0 of 1,000,000 calls used." in out

    sandbox.change(elsewhere=1)
    call(app, 1)
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "Vendor and books agree: 1 call since" in out
    assert len(readings(app)) == 2


def test_drift_is_exit_1_and_said_on_standard_error(run: Run, sandbox: Sandbox) -> None:
    run()
    sandbox.change(elsewhere=17)

    code, out, err = run()

    assert (code, out) == (1, "")
    assert "17 calls this product did not make: is the AppCode used elsewhere?" in err


def test_what_open_calls_explain_is_no_drift_and_they_are_listed(run: Run, app: Flask, sandbox: Sandbox) -> None:
    run()
    made = unknown(app, 1)
    sandbox.change(elsewhere=1)

    code, out, err = run()

    assert (code, err) == (0, "")
    assert f"unknown: verification {made} of " in out


def test_a_failure_is_exit_1_with_what_to_do(run: Run, app: Flask, sandbox: Sandbox) -> None:
    sandbox.change(meter_scenario=MeterScenario.FORBIDDEN)
    code, out, err = run()
    assert (code, out) == (1, "")
    assert err.startswith("yuliang: The vendor's counter was not read: This AccessKey may not read the counter")
    assert "HTTP 403 Forbidden.RAM" in err

    enter(app, 0)
    code, out, err = run()
    assert code == 1
    assert "From here on we compare" in out
    assert "Forbidden.RAM" in err


def test_within_the_hour_it_compares_with_the_last_reading(run: Run, make_app: MakeApp, sandbox: Sandbox) -> None:
    live = make_app(METERING_URL=sandbox.metering_url, ACCESS_KEY_ID=KEY.id, ACCESS_KEY_SECRET=KEY.secret)
    assert run(on=live)[0] == 0

    code, out, _err = run(on=live)

    assert code == 0
    assert "asked once an hour at most" in out
    assert sandbox.counts().metered == 1


def test_the_consoles_figures_can_be_given(run: Run, app: Flask) -> None:
    buy(app, 10)
    assert run("--used", "6700", "--total", "9115")[0] == 0
    code, _out, err = run("--used", "6720", "--total", "9115")
    assert code == 1
    assert "20 calls this product did not make" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--used", "5"), "give both"), (("--total", "5"), "give both"),
        (("--used", "-1", "--total", "5"), "give both"),
        (("--used", "6", "--total", "5"), "More calls used"), (("--used", "1", "--total", "5"), "older than the last"),
        (("--used", "6", "--total", "2000000000"), "whole numbers up to"),
    ],
)  # fmt: skip
def test_figures_that_are_no_reading_are_refused_in_a_line(
    run: Run, app: Flask, arguments: tuple[str, ...], says: str
) -> None:
    enter(app, 3)

    code, out, err = run(*arguments)

    assert (code, out) == (1, "")
    assert err.startswith("yuliang: ")
    assert says in err
    assert len(err.splitlines()) == 1
    assert len(readings(app)) == 1


def test_without_key_and_reading_it_says_what_is_missing(run: Run, make_app: MakeApp) -> None:
    live = make_app(VENDOR_URL="https://vendor.example")

    code, _out, err = run(on=live)

    assert code == 1
    assert "YULIANG_ACCESS_KEY_ID" in err
    assert "--used N --total N" in err


def test_a_word_that_is_no_number_is_wrong_usage(run: Run) -> None:
    with pytest.raises(SystemExit) as raised:
        run("--used", "many")
    assert raised.value.code == 2
