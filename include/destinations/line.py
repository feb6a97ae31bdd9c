"""Speak HTTP to one platform: connections, permissions, time-outs, and what the headers say of its pace."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from include.destinations.protocol import Reply
from include.errors import ConnectionLost, RateLimited, Unreachable
from include.ports import Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Say how long to wait for what.

    Args:
        connect_timeout_seconds: how long to wait for a connection.
        read_timeout_seconds: how long to wait for an answer before it counts as lost.
        attempts: how often one request is made at most.
        longest_wait_seconds: a longer wait than this is left to whoever called us.
        sleep: waits; a parameter so that tests need not.
    """

    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 60.0
    attempts: int = 4
    longest_wait_seconds: float = 60.0
    sleep: Callable[[float], None] = time.sleep

    def pause(self, attempt: int, wanted: float | None = None) -> float | None:
        """Return how long to wait before the next attempt, or None if there is to be none."""
        if attempt >= self.attempts:
            return None
        seconds: float = 0.5 * 2 ** (attempt - 1) * random.uniform(0.8, 1.2) if wanted is None else wanted
        return None if seconds > self.longest_wait_seconds else seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Hold one request to a platform; `path` begins with a slash and is already encoded.

    `lane` is that of the bucket, for calls which the platform limits apart.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Hold what a platform's headers say: how many requests are left in its window, and when the next one begins."""

    remaining: int
    resets_in_seconds: float
    limit: int | None = None


_PIECE_BYTES = 65_536
_LONGEST_BODY = 64 * 1024 * 1024  # unpacked; no platform says so much
ReadAllowance = Callable[[Mapping[str, str], datetime], Allowance | None]


class Line:
    """Be the way to one platform; several threads may use it at once.

    Args:
        title: the platform's name as people write it.
        base_url: where the platform listens.
        headers: sent with every request; they may hold the credentials and are never shown.
        bucket: hands out permission for each request; None sends as fast as the platform answers.
        patience: how long to wait for what.
        connections: how many connections are kept; requests beyond them make connections of their own.
        read_allowance: reads the platform's headers; None where it sends none.
        pools: makes the pool of connections; another one than usual may refuse addresses.
    """

    def __init__(
        self,
        *,
        title: str,
        base_url: str,
        headers: Mapping[str, str],
        bucket: Bucket | None = None,
        patience: Patience | None = None,
        connections: int = 8,
        read_allowance: ReadAllowance | None = None,
        pools: Callable[..., urllib3.PoolManager] = urllib3.PoolManager,
    ) -> None:
        self.title = title
        self.base_url = checked_url(base_url, title)
        self.patience = patience or Patience()
        self._made = threading.local()
        self._headers = dict(headers)
        self._bucket = bucket
        self._read_allowance = read_allowance
        self._turn = threading.Lock()  # to the bucket: one asks at a time, so that none is let in past another
        timeout = urllib3.Timeout(
            connect=self.patience.connect_timeout_seconds, read=self.patience.read_timeout_seconds
        )
        self._http = pools(timeout=timeout, retries=False, maxsize=connections)

    def __repr__(self) -> str:
        return f"Line(title={self.title!r}, base_url={self.base_url!r})"

    @property
    def requests(self) -> int:
        """Return how many requests were made over this line by the thread that asks."""
        return int(getattr(self._made, "requests", 0))

    def ask(self, request: Request) -> Reply:
        """Make a request once and return its answer, whatever it says.

        Raises:
            Unreachable: nobody listens; nothing was sent.
            ConnectionLost: no answer came; nobody knows whether the platform took the request.
        """
        self._made.requests = self.requests + 1
        if self._bucket is not None:
            with self._turn:
                self._bucket.take(lane=request.lane)
        try:
            response = self._http.request(
                request.method,
                self.base_url + request.path,
                body=request.body,
                headers={**self._headers, **request.headers},
                redirect=False,
                preload_content=False,
            )
            body = self._read(response)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise self.unreachable("nobody listens") from error
        except HTTPError as error:
            raise ConnectionLost(
                f"{self.title} at {self.base_url} gave no answer: it broke off or timed out"
            ) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        wait = retry_after(headers.get("retry-after"))
        throttled = response.status == 429
        allowance = self._noted(headers, request.lane, throttled=throttled)
        if throttled and wait is None and allowance is not None:
            wait = allowance.resets_in_seconds
        if throttled and wait is not None and self._bucket is not None:
            self._bucket.pause(wait, lane=request.lane)
        return Reply(status=response.status, body=body, retry_after_seconds=wait, headers=headers)

    def insist(self, request: Request) -> Reply:
        """Make a request that may be made twice, until it is answered otherwise than by a throttle or a fault.

        Returns the last answer if the platform's fault stays; an HTTP status says which.

        Raises:
            RateLimited: the platform still throttles after the waits that we allow ourselves.
            Unreachable: nobody listens.
            ConnectionLost: no answer came, however often we asked.
        """
        return self._until_answered(request, repeatable=True)

    def ask_once(self, request: Request) -> Reply:
        """Make a request whose second making could double something: only a throttle is waited out.

        Raises:
            RateLimited, Unreachable: nothing was taken.
            ConnectionLost: nobody knows whether the platform took it.
        """
        return self._until_answered(request, repeatable=False)

    def unreachable(self, what: str) -> Unreachable:
        """Return the error that says so, and what to mend."""
        return Unreachable(
            f"{self.title} cannot be reached at {self.base_url}: {what}; check the connection's host and port"
        )

    def still_throttled(self, requests: int, wait: float | None) -> RateLimited:
        """Return the error that says that waiting did not help."""
        message = f"{self.title} still throttles this account after {requests} requests"
        return RateLimited(message, retry_after_seconds=wait)

    def _until_answered(self, request: Request, *, repeatable: bool) -> Reply:
        attempt = 0
        while True:
            attempt += 1
            try:
                reply = self.ask(request)
            except (ConnectionLost, Unreachable) as error:
                tried_again = repeatable or isinstance(error, Unreachable)
                pause = self.patience.pause(attempt) if tried_again else None
                if pause is None:
                    raise
            else:
                if reply.status != 429 and not (repeatable and (reply.status >= 500 or reply.status == 408)):
                    return reply
                pause = self.patience.pause(attempt, reply.retry_after_seconds)
                if pause is None and reply.status == 429:
                    raise self.still_throttled(attempt, reply.retry_after_seconds)
                if pause is None:
                    return reply
            self.patience.sleep(pause)

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """Return the body of an answer; one without an end, in bytes or in time, is none."""
        until = time.monotonic() + self.patience.read_timeout_seconds
        body = bytearray()
        while piece := response.read1(_PIECE_BYTES, decode_content=True):
            body += piece
            if len(body) > _LONGEST_BODY or time.monotonic() > until:
                response.close()
                raise ConnectionLost(f"{self.title} at {self.base_url} gave an answer that does not end")
        response.release_conn()
        return bytes(body)

    def _noted(self, headers: Mapping[str, str], lane: str, *, throttled: bool) -> Allowance | None:
        """Tell the bucket what the platform says of its window."""
        found = self._read_allowance(headers, datetime.now(UTC)) if self._read_allowance is not None else None
        if found is not None and self._bucket is not None:
            remaining = 0 if throttled else found.remaining
            self._bucket.observe(
                remaining=remaining, resets_in_seconds=found.resets_in_seconds, limit=found.limit, lane=lane
            )
        return found


def checked_url(text: str, title: str) -> str:
    """Return the base address without its last slash.

    Raises:
        Unreachable: it is no address; what it holds is not repeated.
    """
    url = text.strip().rstrip("/")
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise Unreachable(
            f"the host of the {title} connection must be an address such as https://host or http://host:port"
        )
    return url


def retry_after(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which holds seconds or a date."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text.strip()):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else None
