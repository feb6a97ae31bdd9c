"""The operations around sign-in: login, logout, who is signed in, what time it is."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.org import Org
from include.sandbox.org.sessions import Session
from include.sandbox.org.soap.asked import Asked
from include.sandbox.org.soap.dialects import Dialect
from include.sandbox.org.soap.envelope import Envelope
from include.sandbox.org.soap.faults import SoapFault
from include.sandbox.org.users import User, password_fits, user_by_id, user_by_name

_WRONG = SoapFault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
_LAST_LOGIN = 64  # from the next version on there is no login() any more
_ATTACHMENT_BYTES = 5_242_880


def login(org: Org, envelope: Envelope, dialect: Dialect, version: str, base_url: str) -> dict[str, Any]:
    """Open a session for a user who knows the password, and return the LoginResult."""
    if int(version.partition(".")[0]) > _LAST_LOGIN:
        raise SoapFault("UNSUPPORTED_API_VERSION", "login() is not available in API version 65.0 and later")
    user = user_by_name(org.database, (envelope.operation.value("username") or "").strip())
    scope = envelope.header("LoginScopeHeader").value("organizationId")
    right_org = not scope or scope[:15] == org.org_id[:15]
    if user is None or not user.active or not right_org or not password_fits(
        envelope.operation.value("password") or ""
    ):  # fmt: skip
        raise SoapFault(_WRONG.code, _WRONG.message)
    session = org.sessions.open(user.id)
    place = f"{version}/{org.org_id[:15]}"
    return {
        "metadataServerUrl": f"{base_url}/services/Soap/m/{place}",
        "passwordExpired": False,
        "sandbox": True,
        "serverUrl": f"{base_url}/services/Soap/{dialect.letter}/{place}",
        "sessionId": session.token,
        "userId": user.id,
        "userInfo": _user_info(org, user),
    }


def logout(call: Asked) -> None:
    """End the session of the call."""
    call.org.sessions.end(call.session.token)


def get_user_info(call: Asked) -> dict[str, Any]:
    """Return who is signed in."""
    return _user_info(call.org, _user(call.org, call.session))


def get_server_timestamp(call: Asked) -> dict[str, Any]:
    """Return the org's time."""
    return {"timestamp": call.org.clock.now()}


def _user(org: Org, session: Session) -> User:
    user = user_by_id(org.database, session.user_id)
    if user is None:
        raise SoapFault("INACTIVE_OWNER_OR_USER", "user is inactive")
    return user


def _user_info(org: Org, user: User) -> dict[str, Any]:
    names = org.database.rows('SELECT "Name" FROM "Organization" LIMIT 1')
    return {
        "currencySymbol": "$",
        "orgAttachmentFileSizeLimit": _ATTACHMENT_BYTES,
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDefaultCurrencyLocale": "en_US",
        "organizationId": org.org_id,
        "organizationName": names[0][0] if names else "",
        "profileId": user.profile_id,
        "sessionSecondsValid": int(org.sessions.idle_seconds),
        "userEmail": user.email,
        "userFullName": user.name,
        "userId": user.id,
        "userLanguage": user.language,
        "userLocale": user.locale,
        "userName": user.username,
        "userTimeZone": user.time_zone,
        "userType": user.type,
        "userUiSkin": "Theme3",
    }
