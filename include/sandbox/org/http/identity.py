"""Who is signed in: userinfo, the identity URL, and the keys behind id tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import RSAAlgorithm

from include.sandbox.org.clock import stamp_text
from include.sandbox.org.connected_apps import SCOPES
from include.sandbox.org.credentials import JWT_PUBLIC_KEY
from include.sandbox.org.http.tokens import KEY_ID, identity_url
from include.sandbox.org.org import Org
from include.sandbox.org.users import User

_SERVICES = {
    "rest": "", "sobjects": "sobjects/", "search": "search/", "query": "query/", "recent": "recent/",
    "tooling_rest": "tooling/", "feeds": "chatter/feeds", "groups": "chatter/groups", "users": "chatter/users",
    "feed_items": "chatter/feed-items", "feed_elements": "chatter/feed-elements",
}  # fmt: skip


_CLAIMS = (
    "active", "address", "email", "email_verified", "family_name", "given_name", "is_app_installed", "language",
    "locale", "name", "nickname", "organization_id", "photos", "picture", "preferred_username", "profile", "sub",
    "updated_at", "urls", "user_id", "user_type", "utcOffset", "zoneinfo",
)  # fmt: skip


def userinfo(org: Org, user: User, base_url: str) -> dict[str, Any]:
    """Return what `/services/oauth2/userinfo` says of a user."""
    urls = _urls(org, user, base_url)
    return {
        "sub": identity_url(org, user.id, base_url),
        "user_id": user.id,
        "organization_id": org.org_id,
        "preferred_username": user.username,
        "nickname": user.nickname,
        "name": user.name,
        "email": user.email,
        "email_verified": True,
        "given_name": user.first_name,
        "family_name": user.last_name,
        "zoneinfo": user.time_zone,
        "photos": _photos(base_url),
        "profile": f"{base_url}/{user.id}",
        "picture": f"{base_url}/profilephoto/005/F",
        "address": {},
        "is_salesforce_integration_user": False,
        "urls": urls | {"search_rest": urls["search"]},
        **_settings(org, user),
        "updated_at": stamp_text(user.modified),
        "is_app_installed": True,
    }


def identity(org: Org, user: User, base_url: str) -> dict[str, Any]:
    """Return what the identity URL says of a user."""
    return {
        "id": identity_url(org, user.id, base_url),
        "asserted_user": True,
        "user_id": user.id,
        "organization_id": org.org_id,
        "username": user.username,
        "nick_name": user.nickname,
        "display_name": user.name,
        "email": user.email,
        "email_verified": True,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "timezone": user.time_zone,
        "photos": _photos(base_url),
        "addr_street": None,
        "addr_city": None,
        "addr_state": None,
        "addr_country": None,
        "addr_zip": None,
        "mobile_phone": None,
        "mobile_phone_verified": False,
        "is_lightning_login_user": False,
        "status": {"created_date": None, "body": None},
        "urls": _urls(org, user, base_url),
        **_settings(org, user),
        "last_modified_date": stamp_text(user.modified),
        "is_app_installed": True,
    }


def openid_configuration(base_url: str) -> dict[str, Any]:
    """Return the document from which OpenID clients learn where everything is."""
    oauth2 = f"{base_url}/services/oauth2"
    return {
        "issuer": base_url,
        "authorization_endpoint": f"{oauth2}/authorize",
        "token_endpoint": f"{oauth2}/token",
        "revocation_endpoint": f"{oauth2}/revoke",
        "userinfo_endpoint": f"{oauth2}/userinfo",
        "jwks_uri": f"{base_url}/id/keys",
        "introspection_endpoint": f"{oauth2}/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": sorted(SCOPES),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "display_values_supported": ["page", "popup", "touch"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": list(_CLAIMS),
        "code_challenge_methods_supported": ["S256", "plain"],
    }


def keys() -> dict[str, Any]:
    """Return the public keys that id tokens are signed with."""
    key = load_pem_public_key(JWT_PUBLIC_KEY.read_bytes())
    assert isinstance(key, RSAPublicKey)
    described = RSAAlgorithm.to_jwk(key, as_dict=True)
    return {"keys": [{"kty": "RSA", "n": described["n"], "e": described["e"], "alg": "RS256", "use": "sig",
                      "kid": KEY_ID}]}  # fmt: skip


def _urls(org: Org, user: User, base_url: str) -> dict[str, str]:
    def soap(kind: str) -> str:
        return f"{base_url}/services/Soap/{kind}/{{version}}/{org.org_id[:15]}"

    rest = f"{base_url}/services/data/v{{version}}/"
    return {
        "enterprise": soap("c"),
        "metadata": soap("m"),
        "partner": soap("u"),
        **{name: rest + path for name, path in _SERVICES.items()},
        "tooling_soap": soap("T"),
        "profile": f"{base_url}/{user.id}",
        "custom_domain": base_url,
    }


def _photos(base_url: str) -> dict[str, str]:
    return {"picture": f"{base_url}/profilephoto/005/F", "thumbnail": f"{base_url}/profilephoto/005/T"}


def _settings(org: Org, user: User) -> dict[str, Any]:
    return {
        "active": user.active,
        "user_type": user.type.upper(),
        "language": user.language,
        "locale": user.locale,
        "utcOffset": _offset(user.time_zone, org.clock.now()),
    }


def _offset(zone: str, now: datetime) -> int:
    """Return the milliseconds that a time zone is ahead of UTC outside daylight saving time."""
    there = now.astimezone(ZoneInfo(zone or "UTC"))
    ahead, saved = there.utcoffset() or timedelta(), there.dst() or timedelta()
    return int((ahead - saved).total_seconds() * 1000)
