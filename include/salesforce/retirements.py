"""Say until when a way of signing in works; pure.

Source: Salesforce help, "SOAP API login() Call is Being Retired" and "OAuth 2.0 Username-Password Flow Retirement".
"""

from __future__ import annotations

_INSTEAD = "use client credentials, JWT bearer or a refresh token (docs/connections.md)"


def retirement(way_in: str) -> str:
    """Return what ends a way of signing in, when, and what to use instead; "" when nothing does.

    Args:
        way_in: as `Credentials.way_in` names it.
    """
    if way_in == "soap":
        return (
            "this connection signs in by SOAP login(), which Salesforce retires with Summer '27 (June 2027); "
            + _INSTEAD
        )
    if way_in != "password":
        return ""
    return (
        "this connection signs in with a password (OAuth username-password flow), which Salesforce ends on"
        " 20 February 2027; " + _INSTEAD
    )
