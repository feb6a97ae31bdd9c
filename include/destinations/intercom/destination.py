"""Carry people and events to Intercom.

It takes one contact at a time, so that a batch of ours is many requests, made over several connections at once. What
a record becomes decides `body`, what an answer means `replies`; the steps are in `contact`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations.intercom import body as bodies
from include.destinations.intercom import replies, rules
from include.destinations.intercom.contact import AUTH_ADVICE, Contacts, Found
from include.destinations.intercom.replies import Meaning
from include.destinations.intercom.steps import steps
from include.destinations.line import Line, Patience, Request
from include.destinations.protocol import Access, Batch, BatchResult, Policy, never_expires, never_settles
from include.destinations.sending import prove
from include.errors import AuthError, ConnectionLost, HeadwaterError, RateLimited, Unreachable
from include.ports import Bucket
from include.records import Outcome, Pace, Profile, Receipt

PACES: Mapping[str, Pace] = MappingProxyType({"": Pace(requests=1_666, seconds=10)})
VERSION = "2.16"
HOSTS = {
    "us": "https://api.intercom.io",
    "eu": "https://api.eu.intercom.io",
    "au": "https://api.au.intercom.io",
}
_CONNECTIONS = 48  # at 0.2 s an answer these reach 240 requests a second; the platform takes 167

T = TypeVar("T")
R = TypeVar("R")


def open_intercom(access: Access, *, bucket: Bucket | None = None, policy: Policy | None = None) -> Intercom:
    """Return the platform behind an Airflow connection: password (access token), and host or the extra ``region``.

    Raises:
        AuthError: the token is missing or impossible, or the region is unknown.
        Unreachable: the host is no address.
    """
    region = str(access.extras.get("region") or "us").strip().lower()
    if not access.base_url and region not in HOSTS:
        known = ", ".join(HOSTS)
        raise AuthError(f"the connection {access.name!r} names a region that Intercom does not have; known are {known}")
    base_url = access.base_url or HOSTS[region]
    return Intercom(base_url=base_url, token=access.secret, bucket=bucket, policy=policy)


class Intercom:
    """Be the platform Intercom behind the protocol of destinations.

    Args:
        base_url: where the platform listens; the host says the region.
        token: the access token of the app.
        bucket: hands out permission for each request; None sends as fast as the platform answers.
        policy: what the push asks of the platform.
        patience: how long to wait for what.
        connections: how many requests may be under way at once.
    """

    capabilities: Capabilities = PLATFORMS["intercom"].capabilities
    expired = staticmethod(never_expires)
    settle = staticmethod(never_settles)

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        bucket: Bucket | None = None,
        policy: Policy | None = None,
        patience: Patience | None = None,
        connections: int = _CONNECTIONS,
    ) -> None:
        self._policy = policy or Policy(match=PLATFORMS["intercom"].default_match)
        self._line = Line(
            title="Intercom",
            base_url=base_url,
            headers=_headers(token),
            bucket=bucket,
            patience=patience,
            connections=connections,
            read_allowance=replies.allowance,
        )
        self._contacts = Contacts(self._line, policy=self._policy, types=self._types)
        self._threads = ThreadPoolExecutor(max_workers=connections, thread_name_prefix="intercom")
        self._known_types: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"Intercom(base_url={self._line.base_url!r}, token=***)"

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may."""
        return rules.check(profile, clear_nulls=self._policy.clear_nulls)

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles; they have no body, for each contact is a request of its own."""
        return bodies.build(profiles, skip_hook=skip_hook, max_records=max_records)

    def send(self, batch: Batch) -> BatchResult:
        """Carry the records of a batch, several at once, and return one receipt for each; see `Destination.send`."""
        if not batch.records:
            return BatchResult(receipts=batch.refused)
        turn = _Turn(self._line, self._contacts)
        turn.counted(self._learn_types)(None)
        found = self._contacts.look_up(
            batch.records, lambda search, some: self._threads.map(turn.counted(search), some)
        )
        carry = turn.counted(turn.carry)
        receipts = tuple(self._threads.map(lambda each: carry((each, found.get(each.record_id))), batch.records))
        if turn.error is not None and all(each.outcome is Outcome.HELD for each in receipts):
            raise turn.error
        return BatchResult(receipts=batch.refused + receipts, requests=turn.requests)

    def steps(self, batch: Batch) -> tuple[tuple[str, bytes], ...]:
        """Return what would be asked for the records of a batch, and the bodies; nothing is sent."""
        types = self._known_types or {}
        return tuple(step for record in batch.records for step in steps(record, policy=self._policy, types=types))

    def test(self) -> None:
        """Ask who the token belongs to."""
        prove(
            self._line,
            Request(method="GET", path="/me"),
            refuses=lambda reply: replies.judge(reply).meaning is Meaning.STOP,
            is_ours=lambda reply: replies.judge(reply).meaning is Meaning.TAKEN,
            auth_advice=AUTH_ADVICE,
        )

    def _learn_types(self, _: None) -> None:
        """Ask for the types before the threads do, each of them."""
        self._types()

    def _types(self) -> dict[str, str]:
        """Return the types of the custom attributes, asked for once; a token without the right learns of none."""
        if self._known_types is None:
            try:
                reply = self._line.insist(Request(method="GET", path="/data_attributes?model=contact"))
            except ConnectionLost:
                return {}
            self._known_types = replies.types_of(reply)
        return self._known_types


class _Turn:
    """Be the sending of one batch: the first error that concerns the connection stops what has not begun yet."""

    def __init__(self, line: Line, contacts: Contacts) -> None:
        self._line = line
        self._contacts = contacts
        self._stopped = threading.Event()
        self._counting = threading.Lock()
        self.error: HeadwaterError | None = None
        self.requests = 0

    def counted(self, call: Callable[[T], R]) -> Callable[[T], R]:
        """Return the call, whose requests are counted as those of this batch."""

        def calling(argument: T) -> R:
            before = self._line.requests  # of this thread, which does nothing else meanwhile
            try:
                return call(argument)
            finally:
                with self._counting:
                    self.requests += self._line.requests - before

        return calling

    def carry(self, one: tuple[Profile, Found]) -> Receipt:
        """Carry a record with what was found of it, or hold it."""
        record, found = one
        if not self._stopped.is_set():
            try:
                return self._contacts.carry(record, found)
            except (AuthError, RateLimited, Unreachable) as error:
                self.error = error
                self._stopped.set()
        message = "not sent: the platform refused the connection, throttles or cannot be reached"
        return Receipt(record_id=record.record_id, outcome=Outcome.HELD, cause="not_sent", message=message)


def _headers(token: str) -> dict[str, str]:
    secret = token.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise AuthError("the access token of the Intercom connection is empty or holds characters no token has")
    return {
        "Authorization": f"Bearer {secret}",
        "Intercom-Version": VERSION,
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
