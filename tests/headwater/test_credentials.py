"""A connection of type Salesforce becomes one set of credentials, whichever way it was filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater.credentials import salesforce_credentials
from include.errors import AuthError
from include.salesforce.auth import Credentials


def read(login: str | None = None, password: str | None = None, **extras: Any) -> Credentials:
    return salesforce_credentials(conn_id="sf", login=login, password=password, extras=extras)


def test_consumer_key_and_secret_are_client_credentials() -> None:
    """They sign in at the org's own domain."""
    assert read(consumer_key="k", consumer_secret="s", domain="acme.my") == Credentials(
        kind="client_credentials", login_url="https://acme.my.salesforce.com", client_id="k", client_secret="s"
    )


def test_a_private_key_is_jwt_bearer() -> None:
    """The user's name comes from the connection's login."""
    found = read(login="me@acme.com", consumer_key="k", private_key="PEM")

    assert (found.kind, found.username, found.private_key) == ("jwt_bearer", "me@acme.com", "PEM")
    assert found.login_url == "https://login.salesforce.com"


def test_a_private_key_may_lie_in_a_file(tmp_path: Path) -> None:
    """As with the provider's own hook."""
    (tmp_path / "key.pem").write_text("PEM", encoding="utf-8")

    assert read(login="me", consumer_key="k", private_key_file_path=str(tmp_path / "key.pem")).private_key == "PEM"


def test_a_private_key_that_cannot_be_read_says_which() -> None:
    """The message names the connection, the path and the remedy."""
    with pytest.raises(AuthError, match=r"private key of the connection 'sf' cannot be read from /no/such/key"):
        read(login="me", consumer_key="k", private_key_file_path="/no/such/key")


def test_a_refresh_token_and_a_login_url_are_our_own_keys() -> None:
    """The provider's form has no field for either."""
    found = read(consumer_key="k", refresh_token="r", login_url="http://127.0.0.1:8090/")

    assert (found.kind, found.refresh_token, found.login_url) == ("refresh_token", "r", "http://127.0.0.1:8090")


def test_user_and_password_still_work() -> None:
    """Connections that people have keep working."""
    found = read(login="me", password="p", security_token="t", domain="test")

    assert (found.kind, found.security_token, found.login_url) == ("password", "t", "https://test.salesforce.com")


def test_old_prefixed_extras_are_read() -> None:
    """Earlier versions of the provider's form stored its fields under a prefix."""
    found = read(extra__salesforce__consumer_key="k", extra__salesforce__consumer_secret="s")

    assert (found.kind, found.client_id) == ("client_credentials", "k")


def test_an_incomplete_connection_lists_what_each_way_needs() -> None:
    """A tired person sees what to fill in."""
    with pytest.raises(AuthError, match="'sf' holds no complete way to sign in: give consumer_key"):
        read(consumer_key="k")


def test_secrets_do_not_show() -> None:
    """Credentials may end up in a log by accident."""
    shown = repr(read(login="me", password="hush1", consumer_key="k", consumer_secret="hush2", security_token="hush3"))

    assert "hush" not in shown
