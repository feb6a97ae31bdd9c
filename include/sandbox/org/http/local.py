"""Who may use the control plane and the pages: this machine, and no site that only pretends to be it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from starlette.requests import Request

from include.sandbox.org.tls.hosts import LOCAL_NAMES, is_salesforce

Admits = Callable[[Request], bool]


def admission(*, from_anywhere: bool, host: str) -> Admits:
    """Return what says whether a request is let in; `host` is where the org listens."""
    if from_anywhere:
        return lambda _request: True
    return lambda request: is_local(request) and _is_own_name(_named(request), host)


def is_local(request: Request) -> bool:
    """Say whether a request comes from this machine."""
    return _is_loopback(request.client.host if request.client else "")


def _is_own_name(name: str, host: str) -> bool:
    """Say whether a name is the org's own: any site can let its name lead to this machine, to be taken for us.

    Nobody else's name ends in Salesforce's, and those come in by the org's own proxy.
    """
    return name in (*LOCAL_NAMES, host.lower()) or _is_loopback(name) or is_salesforce(name)


def _named(request: Request) -> str:
    """Return the name in the Host header, without the port."""
    given = request.headers.get("host", "").lower()
    if given.startswith("["):
        return given[1:].partition("]")[0]
    return given.partition(":")[0]


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
