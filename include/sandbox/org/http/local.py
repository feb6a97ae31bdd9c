"""Who may use the control plane and the pages: this machine."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request


def is_local(request: Request) -> bool:
    """Say whether a request comes from this machine."""
    host = request.client.host if request.client else ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
