"""The words for why a call came to no plain answer, as people read them."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.vendor.contract import Cause, Outcome

REFUSALS: dict[str, LazyString] = {
    Cause.QUOTA_EXHAUSTED: _l("The calls are used up; an admin must buy more. The AppCode stays the same"),
    Cause.PACKAGES_EXPIRED: _l("The packages have expired; an admin must buy more. The AppCode stays the same"),
    Cause.APPCODE_INVALID: _l("The AppCode is not valid"),
    Cause.NOT_SUBSCRIBED: _l("The interface has not been bought"),
    Cause.AUTHORISATION_EXPIRED: _l("The authorisation has expired"),
    Cause.SUBSCRIPTION_INVALID: _l("The subscription is not valid"),
    Cause.SELLER_OVERDUE: _l("The vendor's account is overdue"),
    Cause.BUYER_OVERDUE: _l("Our account is overdue"),
    Cause.THROTTLED: _l("Too many requests; please try again later"),
    Cause.ENDPOINT_WRONG: _l("The interface is configured wrongly"),
    Cause.REQUEST_MALFORMED: _l("The request was malformed; please tell an admin"),
    Cause.ACCESS_DENIED: _l("Access was denied"),
    Cause.ENDPOINT_BLOCKED: _l("The interface has been switched off"),
    Cause.ENDPOINT_MOVED: _l("The interface has moved"),
    Cause.VENDOR_UNAVAILABLE: _l("The vendor is not available for now"),
    Cause.VENDOR_UNREACHABLE: _l("The gateway could not reach the vendor"),
    Cause.GATEWAY_BUSY: _l("The gateway is busy"),
    Cause.NETWORK: _l("The network is down"),
}
CAUSES: dict[str, LazyString] = REFUSALS | {
    Cause.VENDOR_TIMEOUT: _l("The vendor took too long"),
    Cause.GATEWAY_INTERNAL: _l("The gateway failed"),
    Cause.RESPONSE_BROKEN: _l("The answer was broken"),
    Cause.NO_ANSWER: _l("No answer came after the call was sent"),
    Cause.ABANDONED: _l("This product stopped during the call"),
    Cause.BACKEND_STATUS: _l("The vendor answered with an HTTP error"),
    Cause.NOT_JSON: _l("The answer could not be read"),
    Cause.UNKNOWN_CODE: _l("The answer carried an unknown code"),
    Cause.NAME_EMPTY: _l("The vendor saw no name"),
    Cause.NAME_SPECIAL: _l("The vendor saw special characters in the name"),
    Cause.NUMBER_EMPTY: _l("The vendor saw no number"),
    Cause.NUMBER_FORMAT: _l("The vendor saw a number of the wrong form"),
}

_PATIENCE = _l("Nothing needs to be done: the next verification after that time is sent as a trial.")
_RENEW = _l("An admin buys calls in the vendor's console and records the lot here; the AppCode stays the same.")
_APPCODE = _l("An admin compares the AppCode on the settings page with the vendor's console.")
_ORDERS = _l("An admin looks into the order list of the vendor's console.")
_SUPPORT = _l("An admin asks the vendor's support.")

STOPS: dict[str, tuple[LazyString, LazyString]] = {
    Outcome.MAINTENANCE: (_l("The vendor is under maintenance"), _PATIENCE),
    Cause.VENDOR_UNAVAILABLE: (REFUSALS[Cause.VENDOR_UNAVAILABLE], _PATIENCE),
    Cause.GATEWAY_BUSY: (REFUSALS[Cause.GATEWAY_BUSY], _PATIENCE),
    Cause.QUOTA_EXHAUSTED: (_l("The calls are used up"), _RENEW),
    Cause.PACKAGES_EXPIRED: (_l("The packages have expired"), _RENEW),
    Cause.APPCODE_INVALID: (REFUSALS[Cause.APPCODE_INVALID], _APPCODE),
    Cause.NOT_SUBSCRIBED: (REFUSALS[Cause.NOT_SUBSCRIBED], _APPCODE),
    Cause.AUTHORISATION_EXPIRED: (REFUSALS[Cause.AUTHORISATION_EXPIRED], _ORDERS),
    Cause.SUBSCRIPTION_INVALID: (REFUSALS[Cause.SUBSCRIPTION_INVALID], _ORDERS),
    Cause.SELLER_OVERDUE: (REFUSALS[Cause.SELLER_OVERDUE], _SUPPORT),
    Cause.BUYER_OVERDUE: (
        REFUSALS[Cause.BUYER_OVERDUE], _l("An admin settles what is owed in the vendor's console.")),
    Cause.ENDPOINT_WRONG: (
        REFUSALS[Cause.ENDPOINT_WRONG], _l("An admin compares YULIANG_VENDOR_URL with the vendor's manual.")),
    Cause.ACCESS_DENIED: (
        REFUSALS[Cause.ACCESS_DENIED], _l("An admin looks for a list of allowed addresses in the vendor's console.")),
    Cause.ENDPOINT_BLOCKED: (REFUSALS[Cause.ENDPOINT_BLOCKED], _SUPPORT),
    Cause.ENDPOINT_MOVED: (REFUSALS[Cause.ENDPOINT_MOVED], _SUPPORT),
}  # fmt: skip
"""Why calls are stopped, and what has to happen next."""

_RESTING = _l("Calls rest for a short time; the notice on every page says until when. Then verify again.")
NEXT_STEPS: dict[str, LazyString] = {cause: step for cause, (_cause, step) in STOPS.items()} | {
    Cause.VENDOR_UNAVAILABLE: _RESTING,
    Cause.GATEWAY_BUSY: _RESTING,
    Cause.THROTTLED: _l("Wait a moment, then verify again."),
    Cause.REQUEST_MALFORMED: _l("Do not try again: this is a fault of the product. An admin reports it."),
    Cause.VENDOR_UNREACHABLE: _l("Verify again in a moment. If it stays so, an admin asks the vendor's support."),
    Cause.NETWORK: _l("Verify again in a moment. If it stays so, an admin checks this server's way to the internet."),
}
"""What to do after a refusal, for who stands at the desk."""
