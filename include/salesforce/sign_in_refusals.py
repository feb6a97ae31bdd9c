"""Say what a refused sign-in means and which key of the connection to mend; pure.

Source: Salesforce help, "OAuth 2.0 Authorization Errors". The descriptions are compared whole, never searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.errors import AuthError, HeadwaterError, RateLimited, ServerFault
from include.salesforce.repeats import retry_after

_BY_DESCRIPTION = {
    "user hasn't approved this consumer": (
        "the user has not been let in to the connected app; an administrator must pre-authorise the user for it"
    ),
    "audience is invalid": "mend login_url: it must be the org's own login host (test.salesforce.com for a sandbox)",
    "expired authorization code": "the code is too old; connect the org again",
    "no client credentials user enabled": "choose a “run as” user for the client credentials flow in the connected app",
}
_BY_KIND = {
    "client_credentials": "mend consumer_key and consumer_secret, or give the connected app a “run as” user",
    "refresh_token": "the refresh_token has expired or was revoked; authorise the app again and put in the new one",
    "password": "mend Username, Password or security_token (a new network needs the token)",
    "jwt_bearer": "mend Username, consumer_key or private_key; the app must hold the certificate of this key",
    "session": "put in a new access_token",
}
_BY_ERROR = {
    "invalid_client_id": (
        "mend consumer_key: this org knows no connected app with it (a new app takes up to ten minutes to be known)"
    ),
    "invalid_client": "mend consumer_secret and consumer_key: they do not belong together",
    "unsupported_grant_type": "this way of signing in is switched off in the connected app or org; allow it there",
    "inactive_user": "the user is deactivated; name another Username or reactivate the user",
    "inactive_org": "the org is locked, closed or suspended; ask Salesforce",
    "invalid_app_access": (
        "the user may not use the connected app; an administrator must install it (Setup → Connected Apps OAuth Usage) "
        "and assign it"
    ),
    "redirect_uri_mismatch": "the connected app knows no such callback address",
    "invalid_scope": "the connected app must have the scope “api”",
}


def refused_sign_in(
    status: int, headers: Mapping[str, str], answer: Mapping[str, Any], kind: str, host: str, *, is_salesforce: bool
) -> HeadwaterError:
    """Return the error for a token request that gave no token.

    Args:
        status: HTTP status.
        headers: with lower-case names.
        answer: the JSON body, or {} when it was none.
        kind: the kind of the credentials.
        host: who refused.
        is_salesforce: the host lists API versions, so that its address is not what is wrong.
    """
    error, description = str(answer.get("error") or ""), str(answer.get("error_description") or "")
    start = f"could not sign in: {host} answered {error or f'HTTP {status}'}"
    if error == "rate_limit_exceeded" or status in (420, 429):
        return RateLimited(
            f"{start}: too many sign-ins; it can be tried again", retry_after_seconds=retry_after(headers)
        )
    if status >= 500:
        return ServerFault(f"{start}: a fault on its side; it can be tried again (see status.salesforce.com)")
    if status < 300 and not answer and is_salesforce:
        return ServerFault(
            f"{start} with a page instead of a token; it can be tried again, maintenance may be under way"
        )
    if not error and is_salesforce:
        return AuthError(
            f"{start} and no token. It is a Salesforce, so login_url is right: the org, or a proxy, refuses "
            "this way of signing in; look at the connected app's policies (IP ranges, flows), or use another way"
        )
    if not error:
        return AuthError(f"{start} and no token; mend login_url, there seems to be no Salesforce at this address")
    advice = _BY_DESCRIPTION.get(description) or _BY_ERROR.get(error) or _BY_KIND.get(kind, "mend the connection")
    return AuthError(f"{start}: {advice}", code=error)
