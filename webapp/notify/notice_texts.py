"""What each kind of notice says, how loud, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.foundation.pages import number
from webapp.vendor.texts import CAUSES

Words = dict[str, Any]


class Place(NamedTuple):
    """A page, by its endpoint; None: nowhere."""

    endpoint: str | None
    values: dict[str, Any]


class Kind(NamedTuple):
    """One kind of notice; `text` and `place` are made from what the notice holds."""

    level: str
    text: Callable[[Words], str]
    place: Callable[[Words], Place]


def kind_of(name: str) -> Kind:
    """The kind of this name; one that this version does not know shows its bare name."""
    return KINDS.get(name) or Kind("info", lambda _words: name, _at(None))


def _at(endpoint: str | None, **values: Any) -> Callable[[Words], Place]:
    return lambda _words: Place(endpoint, values)


def _that_day(action: str) -> Callable[[Words], Place]:
    return lambda w: Place("audit.index", {"action": action, "from": w["day"], "to": w["day"]})


def _result(words: Words) -> Place:
    return Place("verification.result", {"id": words.get("id")})


FIGURES = ("calls", "count", "records")
"""What a notice holds as a count."""


def _said(w: Words) -> Words:
    """The words of a notice, its counts written as people do."""
    return {name: number(value) if name in FIGURES and isinstance(value, int) else value for name, value in w.items()}


def _drift(w: Words) -> str:
    if w["more"]:
        return ngettext("The vendor counted %(calls)s call more than this product made.",
                        "The vendor counted %(calls)s calls more than this product made.",
                        w["calls"], **_said(w))  # fmt: skip
    return ngettext("The vendor counted %(calls)s call fewer than this product made.",
                    "The vendor counted %(calls)s calls fewer than this product made.",
                    w["calls"], **_said(w))  # fmt: skip


def _left_gap(w: Words) -> str:
    if w["more"]:
        return ngettext("The vendor has %(calls)s call more left than our lots.",
                        "The vendor has %(calls)s calls more left than our lots.", w["calls"], **_said(w))  # fmt: skip
    return ngettext("The vendor has %(calls)s call fewer left than our lots.",
                    "The vendor has %(calls)s calls fewer left than our lots.", w["calls"], **_said(w))  # fmt: skip


def _cap(w: Words) -> str:
    return _("The cap of %(whom)s is used up (%(calls)s calls, %(day)s): further calls are refused.", **_said(w))


KINDS: dict[str, Kind] = {
    "unknown_outcome": Kind(
        "warning",
        lambda w: _("Verification %(id)s has an unknown outcome: it may have been charged; a call stays held.", **w),
        _result,
    ),
    "unexpected_answer": Kind(
        "warning",
        lambda w: _("Verification %(id)s got an unexpected answer (code %(code)s). It is kept for you.", **w),
        _result,
    ),
    "calls_stop": Kind(
        "danger",
        lambda w: _("The vendor refuses calls: %(cause)s.", cause=CAUSES.get(w["cause"], w["cause"])),
        _at("history.index", outcome="refused"),
    ),
    "recipient_left": Kind(
        "warning",
        lambda w: _("%(address)s ended its reminder mails by the link in one of them.", **w),
        _at("reminders.index"),
    ),
    "recipient_demoted": Kind(
        "warning",
        lambda w: _("%(name)s is no longer an admin and is told no reminders until a new link is confirmed.", **w),
        _at("reminders.index"),
    ),
    "lapsed_unseen": Kind(
        "info",
        lambda w: _("A lot ended on %(day)s with %(calls)s calls left, too long ago to tell by mail.", **_said(w)),
        _at("reminders.index"),
    ),
    "drift": Kind("warning", _drift, _at("reconciliation.index")),
    "left_gap": Kind("warning", _left_gap, _at("reconciliation.index")),
    "counter_silent": Kind(
        "warning",
        lambda w: _("The vendor's counter has given no figures since %(day)s: see why, and what to do.", **w),
        _at("reconciliation.index"),
    ),
    "operator_cap": Kind("warning", _cap, _at("caps.index")),
    "department_cap": Kind("warning", _cap, _at("caps.index")),
    "source_cap": Kind(
        "warning",
        lambda w: _(
            "The cap of a source is used up (%(calls)s calls, %(day)s): further calls are refused.", **_said(w)
        ),
        _at("caps.index"),
    ),
    "floor_cap": Kind(
        "warning",
        lambda w: _("Only the desk may go on (%(day)s): no more than its %(calls)s kept calls are left.", **_said(w)),
        _at("caps.index"),
    ),
    "many_numbers": Kind(
        "warning",
        lambda w: _("%(count)s different numbers were tried for one name (mark %(mark)s) on %(day)s.", **_said(w)),
        _that_day("verification_sent"),
    ),
    "many_names": Kind(
        "warning",
        lambda w: _("%(count)s different names were tried for one number (mark %(mark)s) on %(day)s.", **_said(w)),
        _that_day("verification_sent"),
    ),
    "many_reveals": Kind(
        "warning",
        lambda w: _("%(name)s revealed %(count)s people or more within a day (%(day)s).", **_said(w)),
        _that_day("person_revealed"),
    ),
    "many_searches": Kind(
        "warning",
        lambda w: _(
            "%(name)s tries out names or numbers: %(count)s different ones or more within a day (%(day)s).", **w
        ),
        _that_day("history_searched"),
    ),
    "export_asked": Kind(
        "warning",
        lambda w: _(
            "Export %(id)s in plaintext waits for a second approver: %(rows)s verifications.",
            id=w["id"],
            rows=f"{'≥ ' if w['more'] else ''}{w['rows']:,}",
        ),
        lambda w: Place("exports.show", {"id": w["id"]}),
    ),
    "records_refused": Kind(
        "danger",
        lambda w: _(
            "Somebody wrote into the audit trail past this product: between records %(first)s and %(last)s "
            "%(records)s do not carry its stamp. They are not sealed.",
            **_said(w),
        ),
        _at("audit.index"),
    ),
    "records_missing": Kind(
        "danger",
        lambda w: _(
            "Records were removed from the audit trail before they were sealed: %(records)s "
            "between %(first)s and %(last)s.",
            **_said(w),
        ),
        _at("audit.index"),
    ),
    "purge_stopped": Kind(
        "danger",
        lambda w: _("The audit trail was not purged on %(day)s: it is kept as evidence, for it is not as sealed.", **w),
        _at("retention.index"),
    ),
    "purge_left": Kind(
        "danger",
        lambda w: _("%(records)s old records of the audit trail stayed on %(day)s: they are not as sealed.", **w),
        _at("retention.index"),
    ),
}
