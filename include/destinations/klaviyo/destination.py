"""Carry profiles and events to Klaviyo.

Profiles go by bulk import jobs: the platform takes them at once and tells later what became of each (`settle`). Their
events follow in bulk requests, each under its key; of a bulk request with a known key the platform takes nothing, so
its events then go one by one, where a known key is counted once. A profile is merged and an event has a key: whatever
answer was lost, it may be sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import orjson

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations.klaviyo import body as bodies
from include.destinations.klaviyo import replies
from include.destinations.klaviyo.events import EventSender, again
from include.destinations.line import Allowance, Line, Patience, Request
from include.destinations.protocol import Access, Batch, BatchResult, Pending, Policy, Reply, never_expires
from include.destinations.sending import Sender, prove
from include.destinations.tally import Tally
from include.errors import AuthError, RateLimited, ServerFault
from include.ports import Bucket
from include.records import Outcome, Pace, Profile, Receipt

REVISION = "2026-07-15"
HOST = "https://a.klaviyo.com"

PACES: Mapping[str, Pace] = MappingProxyType(
    {
        "": Pace(requests=150, seconds=60),  # bulk imports of profiles
        "jobs": Pace(requests=150, seconds=60),  # asking for a job and its errors
        "events": Pace(requests=150, seconds=60),
        "profile": Pace(requests=750, seconds=60),
        "event": Pace(requests=3_500, seconds=60),
        "deletion": Pace(requests=60, seconds=60),
    }
)

_JOBS = "/api/profile-bulk-import-jobs"
_EVENTS = "/api/event-bulk-create-jobs"
_SINGLE = "/api/profile-import"
_DELETIONS = "/api/data-privacy-deletion-jobs"
_AUTH_ADVICE = (
    "Klaviyo refused the private API key: check that it is complete (pk_…), not revoked, and has the scopes"
    " profiles:write, profiles:read, lists:write and events:write"
)


def open_klaviyo(access: Access, *, bucket: Bucket | None = None, policy: Policy | None = None) -> Klaviyo:
    """Return Klaviyo behind a connection: password (private API key), host (base URL, if it isn't the usual one).

    Raises:
        AuthError: the key is missing or impossible.
        Unreachable: the host is no address.
    """
    return Klaviyo(base_url=access.base_url or HOST, key=access.secret, bucket=bucket, policy=policy or Policy())


class Klaviyo:
    """Be the platform Klaviyo behind the protocol of destinations.

    Args:
        base_url: where the platform listens.
        key: the private API key of the account.
        bucket: hands out permission for each request; None sends as fast as the platform answers.
        policy: what the push asks of the platform.
        patience: how long to wait for what.
    """

    capabilities: Capabilities = PLATFORMS["klaviyo"].capabilities
    expired = staticmethod(never_expires)

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
            title="Klaviyo",
            base_url=base_url,
            headers=_headers(key),
            bucket=bucket,
            patience=patience,
            read_allowance=read_allowance,
        )
        self._jobs = self._sender("", _JOBS, replies.of_job, self._part_of_job)
        self._profiles = self._sender("profile", _SINGLE, replies.of_single)
        self._deletions = self._sender("deletion", _DELETIONS, replies.of_single)
        self._events = EventSender(
            bulk=self._sender("events", _EVENTS, replies.of_events, _part_of_events),
            single=self._sender("event", "/api/events", replies.of_single),
        )

    def __repr__(self) -> str:
        return f"Klaviyo(base_url={self._line.base_url!r}, key=***)"

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may."""
        return bodies.check(profile, self._policy, now=now)

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles, each of records that go the same way."""
        return bodies.build(profiles, self._policy, skip_hook=skip_hook, max_records=max_records)

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records; see `Destination.send`."""
        tally = Tally(batch)
        if batch.records:
            way = bodies.way(batch.records[0], self._policy)
            if way is bodies.Way.BULK:
                self._import(batch, tally)
            else:
                self._one_by_one(batch, tally, way)
            taken = [each for each in tally.records(Outcome.ACCEPTED, Outcome.DELIVERED) if each.events]
            tally.add(self._events.send(taken, skip_hook=batch.skip_hook, broken=tally.broken))
        return tally.result()

    def steps(self, batch: Batch) -> tuple[tuple[str, bytes], ...]:
        """Return the requests of a batch: the profiles, then their events."""
        found: list[tuple[str, bytes]] = []
        for record in batch.records:
            way = bodies.way(record, self._policy)
            if way is bodies.Way.DELETION:
                found.append((f"POST {_DELETIONS}", bodies.deletion(record)))
            elif way is bodies.Way.SINGLE:
                one = bodies.single_batch(record, self._policy, skip_hook=batch.skip_hook)
                found.append((f"POST {_SINGLE}", one.body))
        found = found or [(f"POST {_JOBS}", batch.body)]
        events = bodies.event_batches(batch.records, skip_hook=batch.skip_hook)
        return (*found, *((f"POST {_EVENTS}", each.body) for each in events))

    def settle(self, job: str, pending: Sequence[Pending]) -> tuple[Receipt, ...] | None:
        """Ask what became of the records of a bulk import; None: the platform still works on it."""
        answer = self._read(f"{_JOBS}/{quote(job, safe='')}")
        if answer is None:
            return replies.expired(pending)
        end = replies.end_of(answer)
        if end is None:
            return None
        errors = self._import_errors(job) if end.failed or not end.done else []
        return replies.settled(pending, errors, failed_count=end.failed, done=end.done)

    def test(self) -> None:
        """Ask for one import job: the platform's reading call that needs the rights of a push."""
        prove(
            self._line,
            Request(method="GET", path=_JOBS + "?page%5Bsize%5D=1", lane="jobs"),
            refuses=replies.refuses_credentials,
            is_ours=lambda reply: reply.body.lstrip()[:1] == b"{" and b'"data"' in reply.body,
            auth_advice=_AUTH_ADVICE,
        )

    def _import(self, batch: Batch, tally: Tally) -> None:
        """Start bulk imports until every record is accepted or refused."""
        first = Batch(records=batch.records, body=batch.body, skip_hook=batch.skip_hook)
        tally.attempt(first, self._jobs.send, first=True)
        again(tally, lambda rest: tally.attempt(self._part_of_job(rest, batch), self._jobs.send))

    def _one_by_one(self, batch: Batch, tally: Tally, way: bodies.Way) -> None:
        for place, record in enumerate(batch.records):
            if way is bodies.Way.DELETION:
                one = Batch(records=(record,), body=bodies.deletion(record), skip_hook=batch.skip_hook)
                tally.attempt(one, self._deletions.send, first=place == 0)
            else:
                one = bodies.single_batch(record, self._policy, skip_hook=batch.skip_hook)
                tally.attempt(one, self._profiles.send, first=place == 0)

    def _import_errors(self, job: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            query = {"page[size]": "100"} | ({"page[cursor]": cursor} if cursor else {})
            answer = self._read(f"{_JOBS}/{quote(job, safe='')}/import-errors?{urlencode(query)}")
            if answer is None:
                return found
            found += replies.import_errors(answer)
            following = (answer.get("links") or {}).get("next") or ""
            # Only the cursor is taken of the link: an answer must not lead our key to another address.
            cursor = parse_qs(urlsplit(following).query).get("page[cursor]", [""])[0]
            if not cursor:
                return found

    def _read(self, path: str) -> dict[str, Any] | None:
        """Return an answer, or None where there is no such thing."""
        reply = self._line.insist(Request(method="GET", path=path, lane="jobs"))
        if replies.refuses_credentials(reply):
            raise AuthError(_AUTH_ADVICE)
        if reply.status in (404, 410):
            return None
        if reply.status == 429:
            raise RateLimited("Klaviyo throttles this account", retry_after_seconds=reply.retry_after_seconds)
        answer = _json_object(reply.body) if reply.status == 200 else None
        if answer is None or "data" not in answer:
            raise ServerFault(f"Klaviyo answered a question about an import job with HTTP {reply.status}; ask later")
        return answer

    def _part_of_job(self, records: tuple[Profile, ...], batch: Batch) -> Batch:
        return bodies.job_batch(records, self._policy, skip_hook=batch.skip_hook)

    def _sender(
        self,
        lane: str,
        path: str,
        interpret: Callable[[Batch, Reply], BatchResult],
        batch_of: Callable[[tuple[Profile, ...], Batch], Batch] | None = None,
    ) -> Sender:
        return Sender(
            line=self._line,
            request=lambda batch: Request(method="POST", path=path, body=batch.body, lane=lane),
            interpret=interpret,
            lost=replies.lost,
            batch_of=batch_of or (lambda records, batch: batch),  # of one record there are no halves
            doubles=lambda batch: False,
            auth_advice=_AUTH_ADVICE,
        )


def read_allowance(headers: Mapping[str, str], now: datetime) -> Allowance | None:
    """Return what the platform says of its nearest window (a burst of a second, or a minute)."""
    remaining, reset = (headers.get(f"ratelimit-{name}", "").split(",")[0].strip() for name in ("remaining", "reset"))
    if not (remaining.isdecimal() and reset.isdecimal()):
        return None
    return Allowance(remaining=int(remaining), resets_in_seconds=float(reset))


def _part_of_events(records: tuple[Profile, ...], batch: Batch) -> Batch:
    return bodies.event_batch(records, skip_hook=batch.skip_hook)


def _headers(key: str) -> dict[str, str]:
    secret = key.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", secret):
        raise AuthError("the password of the Klaviyo connection must be the account's private API key (pk_…)")
    return {
        "Authorization": f"Klaviyo-API-Key {secret}",
        "revision": REVISION,
        "Accept": "application/vnd.api+json",
        "Content-Type": "application/vnd.api+json",
    }


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None
