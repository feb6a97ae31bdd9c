"""The provider's Salesforce hook, able to sign in to what its form has no field for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airflow.providers.salesforce.hooks.salesforce import SalesforceHook
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from headwater.credentials import salesforce_credentials

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

    from include.salesforce.auth import Credentials


class HeadwaterSalesforceHook(SalesforceHook):
    """Give your own tasks a simple-salesforce client for any connection that Headwater can use.

    Connections without our keys (`login_url`, `refresh_token`) behave exactly as with the provider's hook. With them,
    also a refresh token, a custom host, and plain http (the sandbox org) work.
    """

    @property
    def credentials(self) -> Credentials:
        """Return how this connection signs in."""
        connection = self.get_connection(self.conn_id)
        return salesforce_credentials(
            conn_id=self.conn_id,
            login=connection.login,
            password=connection.password,
            extras=connection.extra_dejson,
        )

    @cached_property
    def conn(self) -> Salesforce:
        """Return a simple-salesforce client, signed in."""
        extras = self.get_connection(self.conn_id).extra_dejson
        if not (extras.get("login_url") or extras.get("refresh_token")):
            return super().conn
        return self._signed_in_by_us(extras)

    def _signed_in_by_us(self, extras: dict[str, Any]) -> Salesforce:
        from simple_salesforce import Salesforce

        from headwater.hooks import shared_sessions
        from include.salesforce.client import SalesforceClient

        # Shared with our own tasks: a refresh token that rotates must not be used by two.
        with SalesforceClient(self.credentials, tokens=shared_sessions()) as client:
            ours = client.living_session()
        session = self.session or Session()
        if ours.instance_url.startswith("http://"):
            session.mount("https://", PlainHttp())
        return Salesforce(
            session_id=ours.access_token,
            instance_url=ours.instance_url.replace("http://", "https://", 1),
            version=self._get_field(extras, "version") or "63.0",
            session=session,
        )


class PlainHttp(HTTPAdapter):
    """Send over http what simple-salesforce, which knows https only, addresses to a host without TLS."""

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send the request with its scheme changed."""
        parts = urlsplit(request.url or "")
        request.url = urlunsplit(("http", *parts[1:]))
        return super().send(request, *args, **kwargs)
