"""Carry profiles and events to Insider One.

`build` and `check` decide in `insider_one_body`, `interpret` in `insider_one_replies`; only `send` and `test` speak to
the network. The platform stores an event twice if it is sent twice and answers HTTP 200 when it refuses users: so an
answer is read user by user, and a lost answer to a batch with events is never followed by a second sending.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations import insider_one_body as bodies
from include.destinations import insider_one_replies as replies
from include.destinations import insider_one_rules as rules
from include.destinations.protocol import Access, Batch, BatchResult, Limits, NextStep, Pending, Policy, Reply
from include.errors import AuthError, ConnectionLost, HeadwaterError, RateLimited, ServerFault, Unreachable
from include.ports import Bucket
from include.records import Event, Outcome, Pace, Profile, Receipt

CAPABILITIES = PLATFORMS["insider_one"].capabilities
PACES = {"": Pace(requests=25_000, seconds=60)}  # of the upsert, for an account

_UPSERT = "/api/user/v1/upsert"
_COLUMNS = "/api/user/v3/metadata/columns"
_AUTH_ADVICE = (
    "Insider One refused the credentials: check partner name, token and the platform's list of allowed addresses"
)


def open_insider_one(access: Access, *, bucket: Bucket | None, policy: Policy) -> InsiderOne:
    """Return Insider One behind a connection: host (base URL), login (partner name) and password (request token).

    Raises:
        AuthError: the connection lacks one of the three.
    """
    if not (access.base_url and access.login and access.secret):
        raise AuthError(
            f"the connection {access.name!r} must have host (base URL), login (partner name), password (token)"
        )
    return InsiderOne(base_url=access.base_url, partner=access.login, token=access.secret, bucket=bucket)


class InsiderOne:
    """Be the platform Insider One behind the protocol of destinations.

    Args:
        base_url: where the platform listens, e.g. ``https://unification.useinsider.com``.
        partner: the account's name; the platform wants it in lower case.
        token: the request token of the unified customer database.
        bucket: hands out permission for each request; None sends as fast as the platform answers.
        connect_timeout_seconds: how long to wait for a connection.
        read_timeout_seconds: how long to wait for an answer before it counts as lost.
        attempts: how often one request is made at most.
        longest_wait_seconds: a longer wait than this is left to whoever called us.
        sleep: waits; a parameter so that tests need not.
    """

    def __init__(
        self,
        *,
        base_url: str,
        partner: str,
        token: str,
        bucket: Bucket | None = None,
        connect_timeout_seconds: float = 10.0,
        read_timeout_seconds: float = 60.0,
        attempts: int = 4,
        longest_wait_seconds: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = _checked_url(base_url)
        self._headers = _headers(partner, token)
        self._bucket = bucket
        self._attempts = attempts
        self._longest_wait_seconds = longest_wait_seconds
        self._sleep = sleep
        timeout = urllib3.Timeout(connect=connect_timeout_seconds, read=read_timeout_seconds)
        self._http = urllib3.PoolManager(timeout=timeout, retries=False)

    def __repr__(self) -> str:
        return f"InsiderOne(base_url={self._base_url!r}, partner={self._headers['X-PARTNER-NAME']!r}, token=***)"

    @property
    def name(self) -> str:
        """Return ``insider_one``."""
        return "insider_one"

    @property
    def limits(self) -> Limits:
        """Return how much one request may hold."""
        return bodies.LIMITS

    @property
    def capabilities(self) -> Capabilities:
        """Return what can be promised at this platform."""
        return CAPABILITIES

    def expired(self, event: Event, *, now: datetime) -> bool:
        """Say whether the platform would drop this event for its age, without telling."""
        return rules.expired(event, now)

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may."""
        return bodies.check(profile, now=now)

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles, within the limits by count and by serialized bytes."""
        return bodies.build(profiles, skip_hook=skip_hook, max_records=max_records)

    def interpret(self, batch: Batch, reply: Reply) -> BatchResult:
        """Decide what a reply means for each record of the batch, and what to do next."""
        return replies.interpret(batch, reply)

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records; see `Destination.send`."""
        if not batch.records:
            return BatchResult(receipts=batch.refused)
        result = self._settle(batch, may_bisect=True)
        return replace(result, receipts=batch.refused + result.receipts)

    def settle(self, job: str, pending: Sequence[Pending]) -> tuple[Receipt, ...] | None:
        """Have nothing to settle: an answer is final."""
        return None

    def test(self) -> None:
        """Ask for the names of the attributes: the platform's one reading call without side effects."""
        try:
            reply = self._post(_COLUMNS, orjson.dumps({"table": "contacts"}))
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise Unreachable(self._advice("nobody listens")) from error
        except HTTPError as error:
            raise ConnectionLost(f"Insider One at {self._base_url} did not answer a test call") from error
        if replies.refused_by_platform(reply.status, reply.body):
            raise AuthError(_AUTH_ADVICE)
        if reply.status == 429:
            raise RateLimited("Insider One throttles this account", retry_after_seconds=reply.retry_after_seconds)
        if reply.status >= 500:
            raise ServerFault(f"Insider One answered a test call with HTTP {reply.status}")
        if reply.status != 200 or reply.body.lstrip()[:1] not in (b"[", b"{"):
            raise Unreachable(self._advice(f"something else answers (HTTP {reply.status})"))

    def _settle(self, batch: Batch, *, may_bisect: bool) -> BatchResult:
        result = self._try(batch)
        if result.next_step is NextStep.SPLIT:
            return self._halves(batch, result.requests, may_bisect=may_bisect)
        if result.next_step is NextStep.BISECT and may_bisect:
            return self._halves(batch, result.requests, may_bisect=False)
        return replace(result, next_step=NextStep.DONE)

    def _halves(self, batch: Batch, requests: int, *, may_bisect: bool) -> BatchResult:
        middle = len(batch.records) // 2
        first, second = (
            bodies.batch_of(half, skip_hook=batch.skip_hook)
            for half in (batch.records[:middle], batch.records[middle:])
        )
        one = self._settle(first, may_bisect=may_bisect)
        try:
            two = self._settle(second, may_bisect=may_bisect)
        except HeadwaterError as error:
            # The receipts of the first half must not get lost; the next batch will meet the same error.
            two = _held(second, str(error))
        return replace(
            one,
            receipts=one.receipts + two.receipts,
            cause=one.cause or two.cause,
            message=one.message or two.message,
            requests=requests + one.requests + two.requests,
        )

    def _try(self, batch: Batch) -> BatchResult:
        """Make the request until its result is final, as often and as long as we allow ourselves."""
        unsure: BatchResult | None = None  # what to report if a later attempt is not even taken
        for attempt in range(1, self._attempts + 1):
            result = replace(self._attempt(batch), requests=attempt)
            if result.next_step not in (NextStep.RETRY, NextStep.WAIT, NextStep.MISDIRECTED, NextStep.STOP):
                return result
            if result.next_step is NextStep.RETRY:
                unsure = result
            pause = self._pause(result, attempt)
            if pause is None:
                break
            self._sleep(pause)
        if unsure is not None and (result is unsure or batch.holds_events):
            return replace(unsure, requests=attempt)
        raise self._error(result)

    def _pause(self, result: BatchResult, attempt: int) -> float | None:
        if attempt == self._attempts or result.next_step is NextStep.STOP:
            return None
        if result.cause == "misdirected":
            return None
        backoff = 0.5 * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
        wanted = backoff if result.retry_after_seconds is None else result.retry_after_seconds
        return None if wanted > self._longest_wait_seconds else wanted

    def _attempt(self, batch: Batch) -> BatchResult:
        try:
            reply = self._post(_UPSERT, batch.body)
        except (NewConnectionError, ConnectTimeoutError):
            return replace(_held(batch, "nobody listens"), next_step=NextStep.MISDIRECTED, cause="unreachable")
        except HTTPError:
            return replies.lost(batch, "no answer came: the connection broke off or timed out")
        return replies.interpret(batch, reply)

    def _post(self, path: str, body: bytes) -> Reply:
        if self._bucket is not None:
            self._bucket.take()
        response = self._http.request("POST", self._base_url + path, body=body, headers=self._headers, redirect=False)
        wait = _retry_after(response.headers.get("Retry-After"))
        return Reply(status=response.status, body=response.data, retry_after_seconds=wait)

    def _error(self, result: BatchResult) -> HeadwaterError:
        if result.next_step is NextStep.STOP:
            return AuthError(_AUTH_ADVICE)
        if result.next_step is NextStep.WAIT:
            return RateLimited(
                f"Insider One still throttles this account after {result.requests} requests",
                retry_after_seconds=result.retry_after_seconds,
            )
        return Unreachable(self._advice(result.message))

    def _advice(self, what: str) -> str:
        return f"Insider One cannot be reached at {self._base_url}: {what}; check the connection's host and port"


def _held(batch: Batch, message: str) -> BatchResult:
    receipts = tuple(
        Receipt(record_id=record.record_id, outcome=Outcome.HELD, cause="not_sent", message=message)
        for record in batch.records
    )
    return BatchResult(receipts=receipts, cause="not_sent", message=message)


def _headers(partner: str, token: str) -> dict[str, str]:
    name, secret = partner.strip().lower(), token.strip()
    if not name or " " in name or not name.isascii() or not name.isprintable():
        raise AuthError("the partner name of the Insider One connection must be one word, as in the platform's address")
    if not secret or not secret.isascii() or not secret.isprintable():
        raise AuthError("the request token of the Insider One connection is empty or holds characters no token has")
    return {"X-PARTNER-NAME": name, "X-REQUEST-TOKEN": secret, "Content-Type": "application/json"}


def _checked_url(text: str) -> str:
    url = text.strip().rstrip("/")
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise Unreachable(
            "the host of the Insider One connection must be an address such as https://host or http://host:port"
        )
    return url


def _retry_after(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which holds seconds or a date."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text.strip()):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else None
