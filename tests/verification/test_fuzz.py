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

from tests.support.cast import COLLEAGUE, OPERATOR, Desk, Member, card_of
from tests.verification.calls import somebody
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.persons import id_numbers, names
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import tokens

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


def forms(issued: list[str], sent: dict[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """What may be submitted; `issued`: real tokens in every state, beside made-up ones. `sent`: a form that was sent,
    to be sent again as it is."""
    written = st.fixed_dictionaries(
        {"name": NAMES, "id_number": NUMBERS},
        optional={
            "purpose": st.sampled_from(["1", "0", "99", "-1", "1.0", "", "１", "x" * 50]),
            "consent": st.sampled_from(["yes", "no", "", "YES", "on"]),
            "guardian_consent": st.sampled_from(["yes", ""]),
            "reference": st.text(max_size=100),
            "again": st.sampled_from(["yes", "no", ""]),
            "confirmed": NUMBERS,
            "form_token": st.one_of(st.sampled_from(issued), st.text(max_size=80)),
        },
    )
    good = st.integers(0, 99_999).map(lambda n: dict(zip(("name", "id_number"), somebody(n), strict=True)))
    issued_well = st.builds(lambda person, token: person | {"form_token": token}, good, st.sampled_from(issued))
    return st.one_of(*[written] * 8, issued_well, st.just(sent))


def is_refused(fields: dict[str, str], today: date) -> bool:
    """Whether name or number must not cost a call."""
    number = id_numbers.normalise(fields["id_number"])
    return bool(id_numbers.faults(number, today) or names.faults(names.normalise(fields["name"])))


class Tokens:
    """Real tokens of forms, and what has become of them."""

    def __init__(self, app: Flask) -> None:
        with app.test_request_context():
            self.own, self.foreign = ([tokens.issue(one.id) for _ in range(40)] for one in (OPERATOR, COLLEAGUE))
        self.spent: set[str] = set()

    def kind(self, token: str) -> str:
        if not token:
            return "none"
        if token in self.spent:
            return "spent"
        return "fresh" if token in self.own else "foreign" if token in self.foreign else "forged"


def fuzz(app: Flask, operator: Desk, sandbox: Sandbox, examples: int) -> None:
    known = Tokens(app)
    with app.app_context():
        today = day_of(utc_now(), this_instance().settings.zone)
    always = {"csrf_token": operator.token(), "purpose": "1", "consent": "yes", "reference": ""}
    sent = dict(zip(("name", "id_number"), somebody(0), strict=True)) | {"form_token": known.own[0]}
    first = operator.client.post("/verify", data=always | sent).location
    known.spent.add(known.own[0])
    seen: set[str] = set()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(forms([*known.own, *known.foreign], sent))
    def submit(fields: dict[str, str]) -> None:
        typed = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
        token = typed.get("form_token", "")
        kind, before = known.kind(token), sandbox.counts().received
        page = operator.client.post("/verify", data=always | typed)

        assert page.status_code in (303, 400, 409, 422), page.status_code
        calls = sandbox.counts().received - before
        assert calls in ((0, 1) if kind in ("none", "fresh") else (0,)), kind
        if is_refused(typed, today):
            assert (page.status_code, calls) == (422, 0)
        if page.status_code != 303:
            assert calls == 0
            assert card_of(re.sub(r"(?s)<template.*?</template>", "", page.text)) == ("blocked", "no")
        else:
            assert kind not in ("foreign", "forged")
            known.spent.add(token)
        if fields == sent:
            assert (page.status_code, page.location) == (303, first), "it leads to what came of the first"
        assert "<b>张三</b>" not in page.text
        seen.add(f"{kind} {page.status_code} {calls}")

    submit()
    assert {"none 422 0", "none 303 1", "fresh 303 1", "spent 303 0", "spent 409 0", "foreign 400 0",
            "forged 400 0"} <= seen, "every kind was tried"  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_thousand_forms(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    fuzz(app, desk(OPERATOR), sandbox, 1_000)


@pytest.mark.long
def test_ten_thousand_forms(app: Flask, desk: Open, sandbox: Sandbox) -> None:
    fuzz(app, desk(OPERATOR), sandbox, 10_000)
