"""Sign in by SOAP ``login()``: for connections that hold a username, a password and no connected app.

Salesforce retires it with Summer '27 (see `retirements`); until then the connections that people have must keep
working. Its 49.0 endpoint is asked, because ``login()`` is gone from version 65 on.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, unescape

from include.errors import AuthError, HeadwaterError, ServerFault
from include.salesforce.transport import Reply, Request

_PATH = "/services/Soap/u/49.0"
_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:n1="urn:partner.soap.sforce.com">'
    "<env:Body><n1:login><n1:username>{username}</n1:username><n1:password>{password}</n1:password></n1:login></env:Body>"
    "</env:Envelope>"
)

_APP = "give the connection consumer_key and consumer_secret of a connected app"
_GONE = f"this org offers no SOAP login (any more); {_APP}"
_OTHERWISE = (
    "mend Username, Password or security_token of the connection (a new network needs the token), or "
    "give it consumer_key and consumer_secret of a connected app"
)
# SOAP API guide, "ExceptionCode".
_BY_CODE = {
    "INVALID_OPERATION": _GONE,
    "UNSUPPORTED_API_VERSION": _GONE,
    "UNSUPPORTED_CLIENT": f"the org demands a newer TLS or another client; {_APP}",
    "LOGIN_MUST_USE_SECURITY_TOKEN": "this network is new to the user: put the security_token into the connection",
    "PASSWORD_EXPIRED": "the password has expired; set a new one in Salesforce and in the connection",
    "PASSWORD_LOCKOUT": "the user is locked out after too many wrong passwords; an administrator must unlock it",
    "LOGIN_DURING_RESTRICTED_TIME": "the user's profile forbids signing in at this hour; widen its login hours",
    "LOGIN_DURING_RESTRICTED_DOMAIN": "the user's profile forbids this network; add it to the profile's IP ranges",
    "INACTIVE_OWNER_OR_USER": "the user is deactivated; name another Username or reactivate the user",
    "ORG_LOCKED": "the org is locked; ask Salesforce",
    "TRIAL_EXPIRED": "the org's trial has ended; ask Salesforce",
    "API_DISABLED_FOR_ORG": "the API is switched off for this org or user; give the profile “API Enabled”",
    "API_CURRENTLY_DISABLED": "the API is switched off for this org; ask Salesforce",
}
_PASSING = frozenset({"SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"})


def login_request(base: str, username: str, password: str) -> Request:
    """Return the request that signs in; `password` ends in the security token when one is needed. Pure."""
    body = _ENVELOPE.format(username=escape(username), password=escape(password))
    return Request(
        method="POST",
        url=base + _PATH,
        headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"},
        body=body.encode(),
        doing="sign in",
    )


def read_login(reply: Reply, host: str) -> dict[str, str]:
    """Return access_token, instance_url, org_id and user_id of a login answer. Pure.

    Raises:
        AuthError: the org refused.
        ServerFault: the answer is none of SOAP's.
    """
    text = reply.body.decode("utf-8", errors="replace")
    token, server = _element(text, "sessionId"), urlsplit(_element(text, "serverUrl"))
    if reply.status != 200 or not token or not server.netloc:
        raise _refused(text, reply.status, host)
    return {
        "access_token": token,
        "instance_url": f"{server.scheme}://{server.netloc}",
        "org_id": _element(text, "organizationId"),
        "user_id": _element(text, "userId"),
    }


def answers_soap(reply: Reply) -> bool:
    """Return whether an answer is one of SOAP's, a session or a fault. Pure."""
    text = reply.body.decode("utf-8", errors="replace")
    return bool(_element(text, "sessionId") or _element(text, "exceptionCode")) or reply.status >= 500


def nowhere(status: int, host: str) -> AuthError:
    """Return the error for a host that is no Salesforce at all. Pure."""
    return AuthError(
        f"could not sign in: {host} answered HTTP {status} and no session; mend login_url, there seems to be no "
        "Salesforce at this address"
    )


def _refused(text: str, status: int, host: str) -> HeadwaterError:
    code = _element(text, "exceptionCode")
    start = f"could not sign in: {host} answered {code or f'HTTP {status}'}"
    if code in _PASSING or (not code and status >= 500):
        return ServerFault(f"{start}: a fault on its side; it can be tried again (see status.salesforce.com)")
    if not code:
        return AuthError(f"{start} to a SOAP login: {_GONE}")
    return AuthError(f"{start}: {_BY_CODE.get(code, _OTHERWISE)}", code=code)


def _element(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}>([^<]*)</", text)
    return unescape(found[1]).strip() if found else ""
