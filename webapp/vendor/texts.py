"""The words for why a call came to no plain answer, as people read them."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.vendor.contract import Cause

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
