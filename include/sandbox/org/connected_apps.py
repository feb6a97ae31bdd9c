"""The apps that may sign users in: the org's own development app, and the one that the Salesforce CLI brings along."""

from __future__ import annotations

from dataclasses import dataclass

from include.sandbox.org.allocation import OWN_APP
from include.sandbox.org.credentials import CLIENT_ID, CLIENT_SECRET

# What an app may ask for; without a scope in the request it gets the four of the token responses.
SCOPES = frozenset(
    {
        "api", "refresh_token", "offline_access", "id", "web", "full", "openid", "profile", "email", "address", "phone",
        "chatter_api", "custom_permissions", "visualforce", "content", "lightning", "wave_api",
        "user_registration_api", "pardot_api", "cdp_api", "sfap_api",
    }
)  # fmt: skip
_CALLBACKS = (
    "http://localhost:1717/OauthRedirect",
    "http://localhost:3000/oauth/callback",
    "http://localhost:8080/callback",
    "http://127.0.0.1:8080/callback",
    "https://login.salesforce.com/services/oauth2/success",
    "https://test.salesforce.com/services/oauth2/success",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedApp:
    """Describe an app; one without a secret is public and proves itself by PKCE alone."""

    client_id: str
    name: str
    secret: str | None
    callbacks: tuple[str, ...]


_APPS = {
    each.client_id: each
    for each in (
        ConnectedApp(client_id=CLIENT_ID, name=OWN_APP, secret=CLIENT_SECRET, callbacks=_CALLBACKS),
        ConnectedApp(client_id="PlatformCLI", name="Salesforce CLI", secret=None, callbacks=_CALLBACKS[:1]),
    )
}


def find_app(client_id: str) -> ConnectedApp | None:
    """Return the app of a client id, or None."""
    return _APPS.get(client_id)
