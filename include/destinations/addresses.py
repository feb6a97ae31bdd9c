"""Connect to public addresses only: a definition must not reach what stands inside our own network.

A name is looked up when a connection is made, and the connection goes to the very address that was judged: a name that
leads elsewhere a moment later reaches nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from include.errors import AuthError

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Say whether an address belongs to the public internet: no loopback, private, link-local or reserved one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            address = inner
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def public_pools(**options: Any) -> urllib3.PoolManager:
    """Return a pool of connections that go to public addresses only."""
    pools = urllib3.PoolManager(**options)
    pools.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicSecurePool}
    return pools


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for, or None."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _connected(connection: HTTPConnection) -> socket.socket:
    host, port = connection.host.strip("[]"), connection.port or connection.default_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    # One inner address among outer ones is enough to refuse: nobody means that.
    if not addresses or not all(is_public(each) for each in addresses):
        raise AuthError(
            "the webhook's host leads to a private, link-local or loopback address, and nothing was sent there; if that"
            ' is meant, put "allow_private": true into the connection\'s extra',
            code="forbidden_address",
        )
    fault: Exception | None = None
    for address in addresses:
        try:
            return create_connection(
                (address, port), timeout=connection.timeout, socket_options=connection.socket_options
            )
        except TimeoutError as error:
            fault = ConnectTimeoutError(connection, "the connection timed out")
            fault.__cause__ = error
        except OSError as error:
            fault = NewConnectionError(connection, "no connection could be made")
            fault.__cause__ = error
    raise fault or NewConnectionError(connection, "there is no address")


class _PublicConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _PublicSecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicSecurePool(HTTPSConnectionPool):
    ConnectionCls = _PublicSecureConnection
