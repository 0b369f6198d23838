"""The words for what a reading says, and for why there is none."""

from __future__ import annotations

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.foundation.pages import number, when
from webapp.reconciliation.judging import Risk
from webapp.reconciliation.left import Left
from webapp.reconciliation.models import ReadingSource
from webapp.reconciliation.operations import WENT_BACK
from webapp.reconciliation.queries import Standing
from webapp.reconciliation.rules import ReadingFault, Verdict
from webapp.vendor.metering_answer import Fault

SOURCES: dict[str, LazyString] = {
    ReadingSource.MANUAL: _l("by hand"),
    ReadingSource.METERING: _l("from the vendor"),
}
VERDICTS: dict[str, LazyString] = {
    Verdict.AGREED: _l("agreed"),
    Verdict.OPEN: _l("explained by open calls"),
    Verdict.MORE: _l("the vendor counted more"),
    Verdict.FEWER: _l("the vendor counted fewer"),
}
BASELINE_SET = _l("baseline set")
"""Instead of a verdict: with one reading nothing is compared yet."""
LEFT_DIFFERS = _l("calls agree, what is left does not")
RISKS: dict[str, LazyString] = {
    Risk.TOTAL_MOVED: _l("The vendor's total is not what the lots recorded here make of it. While that is not "
                         "explained, what it counted may belong to another package or account."),
    Risk.EMPTIES: _l("This takes every call of every valid lot: nothing would be left here."),
}  # fmt: skip
READING_FAULTS: dict[str, LazyString] = {
    ReadingFault.USED_OVER_TOTAL: _l("More calls used than there are in all: the console writes [used/total]."),
    ReadingFault.OLDER: _l("This is older than the last reading."),
}

_TRY_AGAIN = _l("Nothing needs to be done: it is tried again within the hour.")
_SUPPORT = _l("If it stays so, ask the vendor's support and name the request id; meanwhile enter the figures by hand.")
_KEY = _l("Compare the AccessKey with the one in the RAM console, and set it again.")

FAULTS: dict[str, tuple[LazyString, LazyString]] = {
    Fault.KEY_UNKNOWN: (_l("The vendor does not know this AccessKey id"), _KEY),
    Fault.KEY_INACTIVE: (_l("This AccessKey is disabled"), _l("Enable it in the RAM console, or set another.")),
    Fault.SIGNATURE: (_l("The AccessKey's secret is wrong"), _KEY),
    Fault.FORBIDDEN: (
        _l("This AccessKey may not read the counter"),
        _l("Give its RAM user the right to read the market (read-only is enough).")),
    Fault.THROTTLED: (_l("The vendor was asked too often"), _TRY_AGAIN),
    Fault.CLOCK: (
        _l("This machine's clock is wrong"), _l("Set it by NTP: the vendor accepts 15 minutes at most.")),
    Fault.REQUEST: (
        _l("The address did not answer as the vendor's counter does"),
        _l("Compare YULIANG_METERING_URL with the vendor's documents.")),
    Fault.VENDOR: (_l("The vendor's counter failed"), _TRY_AGAIN),
    Fault.NO_ANSWER: (_l("The vendor's counter took too long or broke off"), _TRY_AGAIN),
    Fault.NETWORK: (
        _l("The vendor's counter cannot be reached"),
        _l("Look at the network, the proxy and the certificates; in a sandbox instance: is the sandbox running?")),
    Fault.NOT_JSON: (_l("The answer was no answer of the vendor's counter"), _SUPPORT),
    Fault.TOO_LARGE: (_l("The answer was far too long"), _SUPPORT),
    Fault.REFUSED: (_l("The vendor refused without saying why in a known word"), _SUPPORT),
    Fault.SHAPE: (_l("A figure is missing or is no whole number"), _SUPPORT),
    Fault.NEGATIVE: (_l("A figure is negative"), _SUPPORT),
    Fault.HUGE: (_l("A figure is too big to be believed"), _SUPPORT),
    Fault.INVARIANT: (_l("Remaining and used calls do not make the total"), _SUPPORT),
    Fault.NOT_FOUND: (
        _l("The product is not among those of this account"),
        _l("The AccessKey must belong to the account that bought the calls.")),
    Fault.CONTRADICTION: (_l("The product is listed twice with different figures"), _SUPPORT),
    Fault.PAGES: (_l("The pages of the answer do not end where they should"), _SUPPORT),
    WENT_BACK: (
        _l("The vendor's figures are lower than those of the last reading"),
        _l("A package may have left the sum. Enter the console's figures below and tick that comparing begins anew.")),
}  # fmt: skip
"""Why the vendor's counter could not be read, and what to do."""


def verdict(found: Standing, rest: Left) -> LazyString:
    """The verdict in a word or two."""
    if found.is_baseline:
        return BASELINE_SET
    agrees = found.comparison.verdict is Verdict.AGREED
    return LEFT_DIFFERS if agrees and rest.gap else VERDICTS[found.comparison.verdict]


def headline(found: Standing, rest: Left) -> str:
    """The verdict in one sentence."""
    comparison, since = found.comparison, when(found.baseline.at)
    drift, open_calls = comparison.drift, comparison.books.unknown + comparison.books.under_way
    if found.is_baseline:
        return _("From here on we compare: %(used)s of %(total)s calls used.",
                 used=number(found.reading.used), total=number(found.reading.total))  # fmt: skip
    match comparison.verdict:
        case Verdict.AGREED if rest.gap:
            return ngettext(
                "Both counted %(calls)s call since %(since)s, but not the same number is left.",
                "Both counted %(calls)s calls since %(since)s, but not the same number is left.",
                comparison.vendor, calls=number(comparison.vendor), since=since,
            )  # fmt: skip
        case Verdict.AGREED:
            return ngettext(
                "Vendor and books agree: %(calls)s call since %(since)s.",
                "Vendor and books agree: %(calls)s calls since %(since)s.",
                comparison.vendor, calls=number(comparison.vendor), since=since,
            )  # fmt: skip
        case Verdict.OPEN:
            return ngettext(
                "Vendor and books agree if %(explained)s of %(open)s open call was charged.",
                "Vendor and books agree if %(explained)s of %(open)s open calls were charged.",
                open_calls, explained=number(comparison.explained), open=number(open_calls),
            )  # fmt: skip
        case Verdict.MORE:
            return ngettext(
                "%(calls)s call this product did not make: is the AppCode used elsewhere?",
                "%(calls)s calls this product did not make: is the AppCode used elsewhere?",
                drift, calls=number(drift),
            )  # fmt: skip
    return ngettext(
        "The vendor counted %(calls)s call fewer than this product made: its counter may lag. Read it again later.",
        "The vendor counted %(calls)s calls fewer than this product made: its counter may lag. Read it again later.",
        -drift, calls=number(-drift),
    )  # fmt: skip


def details(found: Standing, rest: Left) -> list[str]:
    """What stands behind the verdict, in words and figures."""
    books, vendor = found.comparison.books, found.comparison.vendor
    if found.is_baseline:
        return left_words(rest)
    said = [_("Since %(since)s the vendor counted %(vendor)s; ours are %(least)s to %(most)s.",
              since=when(found.baseline.at), vendor=number(vendor), least=number(books.charged),
              most=number(books.most))]  # fmt: skip
    if books.unknown:
        said.append(ngettext(
            "%(calls)s unknown outcome may have been charged.", "%(calls)s unknown outcomes may have been charged.",
            books.unknown, calls=number(books.unknown)))  # fmt: skip
    if books.under_way:
        said.append(ngettext(
            "%(calls)s call was under way at the moment of a reading: the vendor may have counted it on either side.",
            "%(calls)s calls were under way at the moment of a reading: the vendor may have counted them on either "
            "side.", books.under_way, calls=number(books.under_way)))  # fmt: skip
    return said + total_words(found) + left_words(rest)


def moved(lot: str, change: int, elsewhere: int) -> list[str]:
    """What rebasing does to a lot: `elsewhere` of its change leave the size as it is."""
    said = []
    if elsewhere < 0:
        said.append(ngettext(
            "%(calls)s call of lot %(lot)s is booked as used elsewhere; its size stays.",
            "%(calls)s calls of lot %(lot)s are booked as used elsewhere; its size stays.",
            -elsewhere, lot=lot, calls=number(-elsewhere)))  # fmt: skip
    elif elsewhere:
        said.append(ngettext(
            "%(calls)s call that was booked as used before or elsewhere comes back to lot %(lot)s; its size stays.",
            "%(calls)s calls that were booked as used before or elsewhere come back to lot %(lot)s; its size stays.",
            elsewhere, lot=lot, calls=number(elsewhere)))  # fmt: skip
    if change != elsewhere:
        said.append(_("Lot %(lot)s is corrected by %(change)s.", lot=lot, change="+" + number(change - elsewhere)))
    return said


def total_words(found: Standing) -> list[str]:
    """Whether the vendor's total moved otherwise than the lots recorded here."""
    grew = found.total_grew
    if grew > 0:
        return [_("The vendor's total grew by %(calls)s calls more than the lots recorded here: record the purchase.",
                  calls=number(grew))]  # fmt: skip
    fell = min(-grew, max(0, found.baseline.total - found.reading.total))
    said = []
    if fell:
        said.append(_("The vendor's total fell by %(calls)s calls: a package has left its sum, or this is another "
                      "package or account.", calls=number(fell)))  # fmt: skip
    if -grew > fell:
        said.append(_("The vendor's total has %(calls)s calls fewer than the lots recorded here since the baseline: "
                      "the vendor does not have them yet, or they were entered twice or too high.",
                      calls=number(-grew - fell)))  # fmt: skip
    return said


def left_words(rest: Left) -> list[str]:
    """Whether the vendor has other calls left than our lots, and what mends that: no correction by the drift does."""
    gap = rest.gap
    if gap > 0:
        return [ngettext(
            "The vendor has %(calls)s call more left than our lots: a lot is missing here, or too small.",
            "The vendor has %(calls)s calls more left than our lots: a lot is missing here, or too small.",
            gap, calls=number(gap))]  # fmt: skip
    if gap < 0:
        return [*_uncovered_words(rest.uncovered), ngettext(
            "The vendor has %(calls)s call fewer left than our lots: some were used before our books began, or a lot "
            "is recorded here that the vendor does not have. Correct that lot, or close it.",
            "The vendor has %(calls)s calls fewer left than our lots: some were used before our books began, or a lot "
            "is recorded here that the vendor does not have. Correct that lot, or close it.",
            -gap, calls=number(-gap))]  # fmt: skip
    return []


def _uncovered_words(calls: int) -> list[str]:
    said = ngettext(
        "%(calls)s call of this time is on no lot here. If the vendor took it from one, book it on that lot.",
        "%(calls)s calls of this time are on no lot here. If the vendor took them from one, book them on that lot.",
        calls, calls=number(calls))  # fmt: skip
    return [said] if calls else []


def failure_words(fault: str, code: str, http_status: int | None) -> str:
    """A failure in one sentence, with the vendor's own word for it where it said one."""
    what = str(FAULTS[fault][0]) if fault in FAULTS else fault
    said = " ".join(filter(None, (f"HTTP {http_status}" if http_status else "", code)))
    return f"{what} ({said})" if said else what
