"""Make HTTP requests: pooled connections, time limits on everything, and a few short repeats of what only reads.

It knows HTTP only: which answers are worth a repeat is decided in `repeats`, what a refusal means in `refusals`.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from include.errors import ConnectionLost, HeadwaterError, Unreachable
from include.salesforce.repeats import MOST_REPEATS, backoff, pause_before_repeat

CONNECT_SECONDS = 10.0
READ_SECONDS = 150.0  # a query may run for two minutes before its first byte
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Hold one request. `repeatable` says that making it twice does no harm."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = True
    doing: str = "ask"  # for messages: "query Contact"
    read_seconds: float = READ_SECONDS

    @property
    def host(self) -> str:
        """Return host and port, as messages name them."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Hold an answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReply:
    """Hold an answer whose body still streams; a refusal (status 300 and above) has been read into `body`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks: Iterator[bytes]


def free_of_charge() -> None:
    """Do nothing before an attempt: for requests that no meter counts."""


class Transport:
    """Make requests over a pool of connections.

    Args:
        sleep: waits between repeats.
        connect_seconds: how long to wait for a connection; how long to wait for bytes is said by each request.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], object] = time.sleep,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._sleep = sleep
        self._connect_seconds = connect_seconds
        self._plain = urllib3.PoolManager(num_pools=8, maxsize=8, retries=False)

    def close(self) -> None:
        """Close all connections."""
        self._plain.clear()
        if "_secure" in vars(self):
            self._secure.clear()

    def send(self, request: Request, *, before: Callable[[], None] = free_of_charge) -> Reply:
        """Return the answer, whatever its status; `before` is called ahead of every attempt.

        Raises:
            Unreachable: nobody listens there.
            ConnectionLost: the answer broke off or never came.
        """

        def attempt() -> Reply:
            before()
            response = self._request(request, preload=True)
            return Reply(status=response.status, headers=_lowered(response), body=response.data)

        return self._repeated(request, attempt)

    @contextmanager
    def open(self, request: Request, *, before: Callable[[], None] = free_of_charge) -> Iterator[OpenReply]:
        """Yield the answer while its body streams; errors as `send`, and ConnectionLost also from the chunks."""
        opened: list[urllib3.BaseHTTPResponse] = []

        def attempt() -> Reply:
            before()
            response = self._request(request, preload=False)
            if response.status < 300:
                opened.append(response)
                return Reply(status=response.status, headers=_lowered(response), body=b"")
            try:
                return Reply(status=response.status, headers=_lowered(response), body=response.read())
            finally:
                response.release_conn()

        reply = self._repeated(request, attempt)
        response = opened[0] if opened else None
        chunks = _chunks(response, request) if response else iter(())
        try:
            yield OpenReply(status=reply.status, headers=reply.headers, body=reply.body, chunks=chunks)
        finally:
            if response is not None:
                # A body left half-read would be taken for the next answer on this connection.
                response.release_conn() if response.closed else response.close()

    @cached_property
    def _secure(self) -> urllib3.PoolManager:
        """Trust this machine's certificates, and those that come with Python where the machine has none (macOS)."""
        trust = ssl.create_default_context()
        trust.load_verify_locations(certifi.where())
        return urllib3.PoolManager(num_pools=8, maxsize=8, retries=False, ssl_context=trust)

    def _request(self, request: Request, *, preload: bool) -> urllib3.BaseHTTPResponse:
        pool = self._secure if request.url.startswith("https:") else self._plain
        return pool.request(
            request.method,
            request.url,
            body=request.body,
            headers=dict(request.headers),
            timeout=urllib3.Timeout(connect=self._connect_seconds, read=request.read_seconds),
            redirect=False,
            preload_content=preload,
        )

    def _repeated(self, request: Request, attempt: Callable[[], Reply]) -> Reply:
        tries = 0
        while True:
            tries += 1
            try:
                reply = attempt()
            except HTTPError as error:
                pause = _pause_after_error(error, request, tries)
                if pause is None:
                    raise _as_ours(error, request) from error
            else:
                pause = _pause_after(reply, request, tries)
                if pause is None:
                    return reply
            self._sleep(pause)


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _pause_after(reply: Reply, request: Request, tries: int) -> float | None:
    if not request.repeatable:
        return None
    return pause_before_repeat(reply.status, reply.headers, reply.body, tries=tries, jitter=_jitter())


def _pause_after_error(error: HTTPError, request: Request, tries: int) -> float | None:
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return 0.2 if tries == 1 else None  # nothing was sent, so anything may be tried a second time
    if isinstance(error, ReadTimeoutError | SSLError | LocationValueError | LocationParseError):
        return None
    return backoff(tries, _jitter()) if request.repeatable and tries <= MOST_REPEATS else None


def _jitter() -> float:
    return random.uniform(0.7, 1.3)


def _as_ours(error: HTTPError, request: Request) -> HeadwaterError:
    where = f"could not {request.doing}: "
    if isinstance(error, SSLError):
        return Unreachable(
            f"{where}{request.host} shows a certificate that this machine does not trust; "
            "mend the host in the connection, or install the certificate of your proxy"
        )
    if isinstance(error, NewConnectionError | ConnectTimeoutError | LocationValueError | LocationParseError):
        return Unreachable(
            f"{where}nobody answers at {request.host}; mend host and port in the connection, "
            "or let this machine reach it"
        )
    if isinstance(error, ReadTimeoutError):
        return ConnectionLost(
            f"{where}{request.host} took the request and did not answer in time; it can be tried again"
        )
    return ConnectionLost(f"{where}the connection to {request.host} broke off; it can be tried again")


def _chunks(response: urllib3.BaseHTTPResponse, request: Request) -> Iterator[bytes]:
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    last = b""
    try:
        for chunk in response.stream(CHUNK_BYTES, decode_content=True):
            last = chunk or last
            yield chunk
    except HTTPError as error:
        raise _as_ours(error, request) from error
    if not framed and not last.endswith(b"\n"):
        # Without a length only the last line's end tells a whole body from a broken one.
        raise ConnectionLost(
            f"could not {request.doing}: the answer of {request.host} broke off; it can be tried again"
        )


def _lowered(response: Any) -> dict[str, str]:
    return {key.lower(): value for key, value in response.headers.items()}
