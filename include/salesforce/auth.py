"""Sign in to an org: credentials of five kinds become one session."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import orjson

from include.errors import AuthError
from include.salesforce.sign_in_refusals import refused_sign_in
from include.salesforce.soap_login import answers_soap, login_request, nowhere, read_login
from include.salesforce.transport import Reply, Request, Transport
from include.salesforce.versions import api_versions

# What a person writes in the connection, where it is called otherwise than here.
_WRITTEN = {
    "client_id": "consumer_key",
    "client_secret": "consumer_secret",
    "username": "Username",
    "password": "Password",
}
_PASSING = frozenset({420, 429, *range(500, 600)})  # says nothing about the address

Kind = Literal["client_credentials", "jwt_bearer", "refresh_token", "password", "session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Hold who signs in, where and how; secrets do not show in its repr.

    `login_url` is where the token endpoint is: ``https://acme.my.salesforce.com``, ``https://login.salesforce.com`` or
    ``http://127.0.0.1:8090``. Kind ``password`` without a `client_id` signs in by SOAP; kind ``session`` needs
    `access_token` and `instance_url` only.
    """

    kind: Kind
    login_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    instance_url: str = ""

    @property
    def way_in(self) -> str:
        """Return how they sign in: their kind, or ``soap`` for a password without a connected app."""
        return "soap" if self.kind == "password" and not self.client_id else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Hold what a sign-in gives: a token, where to use it, and whose it is.

    `refresh_token` is set when the org gave a new one in exchange for the old (rotation): the old one is dead then.
    """

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str
    refresh_token: str = field(default="", repr=False)


def sign_in(
    credentials: Credentials, transport: Transport, *, now: datetime | None = None, rotated: str = ""
) -> Session:
    """Return a new session; costs no API call.

    Args:
        credentials: who signs in.
        transport: the HTTP below.
        now: our clock, for the life of a JWT assertion; None takes the machine's.
        rotated: a refresh token that replaced the one in the credentials.

    Raises:
        AuthError: the org refused; the message names the key of the connection to mend.
        Unreachable: nobody listens at the login URL.
    """
    if credentials.kind == "session":
        return _given_session(credentials, transport)
    if credentials.way_in == "soap":
        return _soap_session(credentials, transport)
    form = _form(credentials, now or datetime.now(UTC), rotated)
    request = Request(
        method="POST",
        url=_base(credentials.login_url, "login_url") + "/services/oauth2/token",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        body=urlencode(form).encode(),
        # A refresh token that rotates is good for one use only; a second try could revoke the whole grant.
        repeatable=credentials.kind != "refresh_token",
        doing="sign in",
    )
    reply = transport.send(request)
    answer = _json(reply)
    if reply.status != 200 or "access_token" not in answer:
        told = bool(answer.get("error")) or reply.status in _PASSING
        known = told or bool(api_versions(credentials.login_url, transport))
        raise refused_sign_in(reply.status, reply.headers, answer, credentials.kind, request.host, is_salesforce=known)
    return _read_answer(answer, rotated)


def session_key(credentials: Credentials) -> str:
    """Return the name under which this connection's session is kept.

    It changes with the secrets, so that a mended connection never meets a session of its broken self; it is derived
    slowly, so that nobody can guess a secret from it.
    """
    public = (
        credentials.kind,
        credentials.login_url,
        credentials.client_id,
        credentials.username,
        credentials.instance_url,
    )
    secret = (
        credentials.client_secret,
        credentials.refresh_token,
        credentials.password,
        credentials.security_token,
        credentials.private_key,
        credentials.access_token,
    )
    salt = hashlib.sha256("\0".join(public).encode()).digest()
    return "salesforce:" + hashlib.scrypt("\0".join(secret).encode(), salt=salt, n=4096, r=8, p=1, dklen=16).hex()


def write_session(session: Session) -> str:
    """Return a session as text, for a token store."""
    return orjson.dumps(session).decode()


def read_session(text: str | None) -> Session | None:
    """Return the session in a stored text, or None when there is none or it is of another make."""
    if not text:
        return None
    try:
        return Session(**orjson.loads(text))
    except (orjson.JSONDecodeError, TypeError):
        return None


def long_id(short: str) -> str:
    """Return the 18-character form of an Id; the three more letters say which of the first 15 are capitals."""
    if len(short) != 15:
        return short
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    groups = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(
        alphabet[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")] for group in groups
    )


def _form(credentials: Credentials, now: datetime, rotated: str) -> dict[str, str]:
    client = {"client_id": _given(credentials, "client_id")}
    if credentials.client_secret:
        client["client_secret"] = credentials.client_secret
    match credentials.kind:
        case "client_credentials":
            return {"grant_type": "client_credentials", **client, "client_secret": _given(credentials, "client_secret")}
        case "refresh_token":
            return {
                "grant_type": "refresh_token",
                **client,
                "refresh_token": rotated or _given(credentials, "refresh_token"),
            }
        case "password":
            secret = _given(credentials, "password") + credentials.security_token
            return {"grant_type": "password", **client, "username": _given(credentials, "username"), "password": secret}
        case "jwt_bearer":
            return {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": _assertion(credentials, now),
            }
        case _:
            raise AuthError(f"sign-in of kind {credentials.kind!r} is not known; mend the kind of the connection")


def _assertion(credentials: Credentials, now: datetime) -> str:
    import jwt  # brings cryptography, which only this way of signing in needs

    claims = {
        "iss": credentials.client_id,
        "sub": _given(credentials, "username"),
        "aud": _base(credentials.login_url, "login_url"),
        "exp": int(now.timestamp()) + 180,
    }
    try:
        return jwt.encode(claims, _given(credentials, "private_key"), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise AuthError(
            "could not sign in: private_key of the connection is no RSA key in PEM form; paste the whole file, "
            "with its first and last line"
        ) from error


def _soap_session(credentials: Credentials, transport: Transport) -> Session:
    secret = _given(credentials, "password") + credentials.security_token
    request = login_request(_base(credentials.login_url, "login_url"), _given(credentials, "username"), secret)
    reply = transport.send(request)
    if not answers_soap(reply) and not api_versions(credentials.login_url, transport):
        raise nowhere(reply.status, request.host)
    found = read_login(reply, request.host)
    return Session(
        access_token=found["access_token"],
        instance_url=found["instance_url"],
        org_id=long_id(found["org_id"]),
        user_id=long_id(found["user_id"]),
    )


def _given_session(credentials: Credentials, transport: Transport) -> Session:
    token, base = _given(credentials, "access_token"), _base(credentials.instance_url, "instance_url")
    prefix = token.split("!", 1)[0]
    if "!" in token and prefix.startswith("00D") and len(prefix) in (15, 18):
        return Session(access_token=token, instance_url=base, org_id=long_id(prefix), user_id="")
    request = Request(
        method="GET",
        url=base + "/services/oauth2/userinfo",
        headers={"Authorization": f"Bearer {token}"},
        doing="look up whose access_token this is",
    )
    reply = transport.send(request)
    answer = _json(reply)
    if reply.status != 200 or "organization_id" not in answer:
        raise AuthError(
            f"could not {request.doing}: {request.host} answered HTTP {reply.status}; put a new access_token into the "
            "connection, or check its instance_url"
        )
    org_id, user_id = long_id(answer["organization_id"]), long_id(answer.get("user_id", ""))
    return Session(access_token=token, instance_url=base, org_id=org_id, user_id=user_id)


def _read_answer(answer: Mapping[str, Any], rotated: str) -> Session:
    # id is https://login.salesforce.com/id/<org>/<user>
    *_, org_id, user_id = ["", "", *str(answer.get("id", "")).rstrip("/").split("/")]
    return Session(
        access_token=answer["access_token"],
        instance_url=str(answer["instance_url"]).rstrip("/"),
        org_id=long_id(org_id),
        user_id=long_id(user_id),
        refresh_token=answer.get("refresh_token") or rotated,
    )


def _json(reply: Reply) -> dict[str, Any]:
    try:
        answer = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _given(credentials: Credentials, key: str) -> str:
    value: str = getattr(credentials, key)
    if not value:
        written = _WRITTEN.get(key, key)
        raise AuthError(
            f"could not sign in: {written} is missing in the connection; sign-in by {credentials.kind} needs it"
        )
    return value


def _base(url: str, key: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise AuthError(f"could not sign in: {key} of the connection must be like https://acme.my.salesforce.com")
    return f"{parts.scheme}://{parts.netloc}"
