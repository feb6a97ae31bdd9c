"""Carry profiles and events to Braze.

The platform stores every event that it is sent, however often: a lost answer to events is never followed by a second
sending. Attributes are the same however often they come, and go in requests of their own before the events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations.braze import body as bodies
from include.destinations.braze import replies
from include.destinations.line import Allowance, Line, Patience, Request
from include.destinations.protocol import Access, Batch, BatchResult, Policy, Reply, never_expires, never_settles
from include.destinations.sending import Sender
from include.destinations.tally import Tally
from include.errors import AuthError, RateLimited, ServerFault
from include.ports import Bucket
from include.records import Outcome, Pace, Profile, Receipt

PARALLEL = 4  # batches that a push may have under way

PACES: Mapping[str, Pace] = MappingProxyType(
    {
        "": Pace(requests=3_000, seconds=3),
        "deletion": Pace(requests=20_000, seconds=60),
    }
)

_TRACK = "/users/track"
_DELETE = "/users/delete"
_AUTH_ADVICE = (
    "Braze refused the REST API key: check the key, its permissions users.track and users.delete, its list of allowed"
    " addresses, and that the host is the REST endpoint of your instance"
)


def open_braze(access: Access, *, bucket: Bucket | None = None, policy: Policy | None = None) -> Braze:
    """Return Braze behind a connection: host (REST endpoint of the instance), password (REST API key).

    Raises:
        AuthError: the key is missing or impossible.
        Unreachable: the host is no address.
    """
    return Braze(base_url=access.base_url, key=access.secret, bucket=bucket, policy=policy or Policy())


class Braze:
    """Be the platform Braze behind the protocol of destinations.

    Args:
        base_url: the REST endpoint of the instance, e.g. ``https://rest.fra-01.braze.eu``.
        key: the REST API key.
        bucket: hands out permission for each request; None sends as fast as the platform answers.
        policy: what the push asks of the platform.
        patience: how long to wait for what.
    """

    capabilities: Capabilities = PLATFORMS["braze"].capabilities
    expired = staticmethod(never_expires)
    settle = staticmethod(never_settles)

    def __init__(
        self,
        *,
        base_url: str,
        key: str,
        bucket: Bucket | None = None,
        policy: Policy | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._policy = policy or Policy()
        self._line = Line(
            title="Braze",
            base_url=base_url,
            headers=_headers(key),
            bucket=bucket,
            patience=patience,
            connections=PARALLEL,
            read_allowance=read_allowance,
        )
        self._attributes = self._sender(_TRACK, self._of_attributes, replies.lost_profiles, self._part_of_attributes)
        self._events = self._sender(_TRACK, replies.of_events, replies.lost_events, self._part_of_events, doubles=True)
        self._deletions = self._sender(
            _DELETE, replies.of_deletion, replies.lost_profiles, _part_of_deletion, lane="deletion"
        )

    def __repr__(self) -> str:
        return f"Braze(base_url={self._line.base_url!r}, key=***)"

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may."""
        return bodies.check(profile, self._policy)

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles, each of records that go the same way."""
        return bodies.build(profiles, self._policy, skip_hook=skip_hook, max_records=max_records)

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records; see `Destination.send`."""
        tally = Tally(batch)
        if batch.records and bodies.way(batch.records[0]) is not bodies.Way.TRACK:
            tally.attempt(_without_refused(batch, batch.records), self._deletions.send, first=True)
        elif batch.records:
            self._track(batch, tally)
        return tally.result()

    def steps(self, batch: Batch) -> tuple[tuple[str, bytes], ...]:
        """Return the requests of a batch: the attributes, then the events."""
        if batch.records and bodies.way(batch.records[0]) is not bodies.Way.TRACK:
            return ((f"POST {_DELETE}", batch.body),)
        attributes = ((f"POST {_TRACK} (attributes)", batch.body),) if batch.body else ()
        events = bodies.event_batches(batch.records, self._policy, skip_hook=batch.skip_hook)
        return (*attributes, *((f"POST {_TRACK} (events)", each.body) for each in events))

    def test(self) -> None:
        """Send a request that holds nothing: the platform checks the key and its right to send, and stores nothing."""
        reply = self._line.ask(Request(method="POST", path=_TRACK, body=b'{"attributes":[]}'))
        if replies.refuses_credentials(reply):
            raise AuthError(_AUTH_ADVICE)
        if reply.status == 429:
            raise RateLimited("Braze throttles this account", retry_after_seconds=reply.retry_after_seconds)
        if reply.status >= 500:
            raise ServerFault(f"Braze answered a test call with HTTP {reply.status}")
        if reply.status not in (200, 201, 202, 400) or not replies.is_own(reply):
            raise self._line.unreachable(f"something else answers (HTTP {reply.status})")

    def _track(self, batch: Batch, tally: Tally) -> None:
        """Send the attributes, and then the events of those records whose attributes were taken."""
        first = True
        owners = bodies.with_attributes(batch.records, self._policy)
        if owners:
            tally.attempt(_without_refused(batch, owners), self._attributes.send, first=True)
            first = False
        mentioned = {owner.record_id for owner in owners}
        taken = {record.record_id for record in tally.records(Outcome.DELIVERED)}
        going = [r for r in batch.records if r.events and (r.record_id in taken or r.record_id not in mentioned)]
        done: set[str] = set()
        for events in bodies.event_batches(going, self._policy, skip_hook=batch.skip_hook):
            before = {record.record_id: tally.receipt(record) for record in events.records}
            tally.attempt(events, self._events.send, first=first)
            first = False
            self._keep_failures(events, before, done, tally)

    def _keep_failures(self, events: Batch, before: Mapping[str, Receipt | None], done: set[str], tally: Tally) -> None:
        """Let no later part of a record's events hide that an earlier one failed or was stored."""
        for record in events.records:
            earlier, now = before[record.record_id], tally.receipt(record)
            if record.record_id in done and earlier is not None and now is not None:
                worst = earlier if earlier.outcome is not Outcome.DELIVERED else now
                stored = Outcome.DELIVERED in (earlier.outcome, now.outcome)
                tally.put([replies.partly(record) if stored and worst.outcome is not Outcome.DELIVERED else worst])
            done.add(record.record_id)

    def _of_attributes(self, batch: Batch, reply: Reply) -> BatchResult:
        return replies.of_attributes(batch, reply, bodies.with_attributes(batch.records, self._policy))

    def _part_of_attributes(self, records: tuple[Profile, ...], batch: Batch) -> Batch:
        body = bodies.attributes_body(records, self._policy)
        return Batch(records=records, body=body, skip_hook=batch.skip_hook)

    def _part_of_events(self, records: tuple[Profile, ...], batch: Batch) -> Batch:
        return bodies.event_batch(records, self._policy, skip_hook=batch.skip_hook)

    def _sender(
        self,
        path: str,
        interpret: Callable[[Batch, Reply], BatchResult],
        lost: Callable[[Batch, str], BatchResult],
        batch_of: Callable[[tuple[Profile, ...], Batch], Batch],
        *,
        doubles: bool = False,
        lane: str = "",
    ) -> Sender:
        return Sender(
            line=self._line,
            request=lambda batch: Request(method="POST", path=path, body=batch.body, lane=lane),
            interpret=interpret,
            lost=lost,
            batch_of=batch_of,
            doubles=lambda batch: doubles,
            auth_advice=_AUTH_ADVICE,
        )


def read_allowance(headers: Mapping[str, str], now: datetime) -> Allowance | None:
    """Return what the platform says of its window; its reset is a time in unix seconds."""
    limit, remaining, reset = (headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset"))
    if not (remaining.isdecimal() and reset.replace(".", "", 1).isdecimal()):
        return None
    resets_in_seconds = max(0.0, float(reset) - now.timestamp())
    return Allowance(
        remaining=int(remaining), resets_in_seconds=resets_in_seconds, limit=int(limit) if limit.isdecimal() else None
    )


def _part_of_deletion(records: tuple[Profile, ...], batch: Batch) -> Batch:
    return Batch(records=records, body=bodies.deletion_body(records), skip_hook=batch.skip_hook)


def _without_refused(batch: Batch, records: tuple[Profile, ...]) -> Batch:
    return Batch(records=records, body=batch.body, skip_hook=batch.skip_hook)


def _headers(key: str) -> dict[str, str]:
    secret = key.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", secret):
        raise AuthError("the password of the Braze connection must be a REST API key")
    return {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
