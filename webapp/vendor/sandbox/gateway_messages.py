"""What the gateway says: code → X-Ca-Error-Message, and the older gateway's messages → status. Pure: a table.

Codes and messages are those of the vendor's documents and of recorded answers; where only a code is known the
wording is ours. The older gateway's statuses are those of its published table.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "A400AC": "Invalid AppCode `not exists`",
    "A401AC": "Invalid AppCode `not exists`",
    "A403AC": "Access Control Forbidden",
    "A403EP": "App authorization expired",
    "A403IP": "Access denied by IP Control",
    "B403ME": "Api Market Subscription expired",
    "B403MI": "Api Market Subscription invalid",
    "B403MO": "Api Market Subscription overdue",
    "B403MQ": "Api Market Subscription quota exhausted",
    "B403OD": "Provider Account Overdue",
    "B451DO": "Domain Blocked",
    "D502FC": "Backend response invalid",
    "D503BB": "Backend circuit breaker busy",
    "D503CB": "Backend circuit breaker open",
    "D504CO": "Backend connect failed",
    "D504CS": "Backend connection refused",
    "D504RE": "Backend service read timeout",
    "D504TO": "Backend service request timeout",
    "I400CT": "Invalid Content-Type",
    "I400HD": "Invalid Header",
    "I400MP": "Invalid Parameter Required `idNo`",
    "I403AA": "Unauthorized",
    "I404DO": "Invalid Domain",
    "I404NF": "API not found",
    "I405UM": "Unsupported Method",
    "I410GG": "Group has moved",
    "I413RL": "Request body too Large",
    "N502RE": "Network response error",
    "T429GR": "Throttled by GROUP Flow Control",
    "T429ID": "Throttled by INNER DOMAIN Flow Control",
    "T429IN": "Throttled by INSTANCE Flow Control",
    "T429MR": "Throttled by Too Many Requests",
    "T429PA": "Throttled by API Flow Control",
    "T429PR": "Throttled by PLUGIN Flow Control",
    "T429SR": "Throttled by SERVER Flow Control",
    "X500ER": "Service internal error",
    "X503BZ": "Service is busy",
    "X504TO": "Gateway timeout",
}
UNPUBLISHED_MESSAGE = "Unheard of"

OLDER_STATUSES: dict[str, int] = {
    "Async Service": 504,
    "Expiry of Authorization": 403,
    "Failed To Invoke Backend Service": 500,
    "Internal Error": 500,
    "Invalid AppCode": 400,
    "Invalid Domain": 400,
    "Invalid HttpMethod": 400,
    "Invalid Url": 400,
    "Quota Exhausted": 403,
    "Quota Expired": 403,
    "Service Unavailable": 503,
    "Throttled by API Flow Control": 403,
    "Throttled by APP Flow Control": 403,
    "Throttled by DOMAIN Flow Control": 403,
    "Throttled by GROUP Flow Control": 403,
    "Throttled by USER Flow Control": 403,
    "Unauthorized": 403,
    "User Arrears": 403,
}
