"""Sign in to an org: credentials of five kinds become one session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["client_credentials", "jwt_bearer", "refresh_token", "password", "session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Hold who signs in, where and how; secrets do not show in its repr.

    `login_url` is where the token endpoint is: ``https://acme.my.salesforce.com``, ``https://login.salesforce.com`` or
    ``http://127.0.0.1:8090``. `kind` ``session`` needs `access_token` and `instance_url` instead.
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
