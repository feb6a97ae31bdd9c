"""Decide how a connection signs in: its fields and extras become one set of credentials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.errors import AuthError
from include.salesforce.auth import Credentials

_PREFIX = "extra__salesforce__"  # how old versions of the provider's form stored its fields


def salesforce_credentials(
    *, conn_id: str, login: str | None, password: str | None, extras: Mapping[str, Any]
) -> Credentials:
    """Return the credentials of a connection of type Salesforce.

    The first way that is complete is taken: JWT bearer, refresh token, password, client credentials.

    Raises:
        AuthError: no way is complete; the message lists what each needs.
    """
    read = _reader(extras)
    login_url = _login_url(read)
    client_id = read("consumer_key") or read("client_id")
    common = {"login_url": login_url, "client_id": client_id, "client_secret": read("consumer_secret")}
    private_key = read("private_key") or _key_in_file(conn_id, read("private_key_file_path"))
    if client_id and private_key and login:
        return Credentials(kind="jwt_bearer", username=login, private_key=private_key, **common)
    if client_id and read("refresh_token"):
        return Credentials(kind="refresh_token", refresh_token=read("refresh_token"), **common)
    if login and password:
        return Credentials(
            kind="password", username=login, password=password, security_token=read("security_token"), **common
        )
    if client_id and read("consumer_secret"):
        return Credentials(kind="client_credentials", **common)
    raise AuthError(
        f"the connection {conn_id!r} holds no complete way to sign in: give consumer_key and consumer_secret"
        " (client credentials), or Username, consumer_key and private_key (JWT bearer), or consumer_key and"
        " refresh_token, or Username and Password"
    )


def _reader(extras: Mapping[str, Any]) -> Any:
    def read(name: str) -> str:
        value = extras.get(name) or extras.get(_PREFIX + name) or ""
        return str(value).strip() if name != "private_key" else str(value)

    return read


def _login_url(read: Any) -> str:
    given: str = read("login_url")
    if given:
        return given.rstrip("/")
    domain: str = read("domain")
    return f"https://{domain or 'login'}.salesforce.com"


def _key_in_file(conn_id: str, path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise AuthError(
            f"the private key of the connection {conn_id!r} cannot be read from {path}: {error.strerror};"
            " mend private_key_file_path or the file's rights"
        ) from error
