"""Whatever is typed, pasted or forged: the desk answers, never with a fault of its own, and spends no call on what
the free check refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.cast import OPERATOR, Desk, Member, card_of
from tests.verification.calls import somebody
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.persons import id_numbers, names
from webapp.vendor.sandbox.server import Sandbox

Open = Callable[[Member | None], Desk]
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def spoilt(number: str) -> st.SearchStrategy[str]:
    """A good number with something done to it."""
    return st.one_of(
        st.just(number),
        st.just(number.translate(FULL_WIDTH)),
        st.just(f"{number[:6]} {number[6:14]}-{number[14:]}"),
        st.just(number[:17] + number[17].lower()),
        st.just(f"\u202e{number}\u200b"),
        st.builds(lambda n: number[:n], st.integers(0, 19)),
        st.builds(lambda n, c: number[:n] + c + number[n + 1 :], st.integers(0, 17), st.characters()),
        st.builds(lambda c: number + c, st.characters()),
        st.just(number[:6] + number[8:17]),
    )


NUMBERS = st.one_of(st.integers(0, 99_999).flatmap(lambda n: spoilt(somebody(n)[1])), st.text(max_size=40))
NAMES = st.one_of(
    st.integers(0, 99_999).map(lambda n: somebody(n)[0]),
    st.text(max_size=60),
    st.text("演练甲乙·•．\u202e\u200f\ufeff <>&\"'/\0\r\n\t𬱖𠮷", max_size=60),
    st.sampled_from(["<b>张三</b>", "{{7*7}}", "' OR 1=1 --", "张" * 10_000, "../../etc/passwd", "%s%n", "张\ud800三"]),
)
FORMS = st.fixed_dictionaries(
    {"name": NAMES, "id_number": NUMBERS},
    optional={
        "purpose": st.sampled_from(["1", "0", "99", "-1", "1.0", "", "１", "x" * 50]),
        "consent": st.sampled_from(["yes", "no", "", "YES", "on"]),
        "guardian_consent": st.sampled_from(["yes", ""]),
        "reference": st.text(max_size=100),
        "again": st.sampled_from(["yes", "no", ""]),
        "confirmed": NUMBERS,
        "form_token": st.text(max_size=80),
    },
)


def is_refused(fields: dict[str, str], today: date) -> bool:
    """Whether name or number must not cost a call."""
    number = id_numbers.normalise(fields["id_number"])
    return bool(id_numbers.faults(number, today) or names.faults(names.normalise(fields["name"])))


def fuzz(app: Flask, operator: Desk, sandbox: Sandbox, examples: int) -> None:
    csrf = operator.token()
    with app.app_context():
        today = day_of(utc_now(), this_instance().settings.zone)
    seen: set[str] = set()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(FORMS)
    def submit(fields: dict[str, str]) -> None:
        sent = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
        before = sandbox.counts().received
        data = {"csrf_token": csrf, "purpose": "1", "consent": "yes"} | sent
        page = operator.client.post("/verify", data=data)

        assert page.status_code in (303, 400, 409, 422), page.status_code
        spent = sandbox.counts().received - before
        assert spent in (0, 1)
        if is_refused(sent, today):
            assert (page.status_code, spent) == (422, 0)
        if page.status_code != 303:
            assert spent == 0
            assert card_of(re.sub(r"(?s)<template.*?</template>", "", page.text)) == ("blocked", "no")
        assert "<b>张三</b>" not in page.text
        seen.add(f"{page.status_code} {spent}")

    submit()
    assert {"422 0", "303 1"} <= seen, "both kinds were tried"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_thousand_forms(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    fuzz(app, desk(OPERATOR), sandbox, 1_000)


@pytest.mark.long
def test_ten_thousand_forms(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    fuzz(app, desk(OPERATOR), sandbox, 10_000)
