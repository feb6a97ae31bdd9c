"""The protocol that every platform implements, and the values that travel through it.

`include.activation` knows platforms by this file alone. The way of one push::

    profile ──without_expired──▶ profile ──check──▶ None, or a Receipt of ours (never sent)
    profiles ──build──▶ batches ──send──▶ BatchResult: one Receipt for each record

`without_expired`, `check` and `build` decide: plain values in, plain values out. What an answer means, a platform's
`replies` decides in the same way. Only `send`, `settle` and `test` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from include.config.platforms import Capabilities, Match
from include.records import Event, Profile, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Say how much one request may hold; both are kept by `build`."""

    max_records: int
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Hold what a push asks of the platform beyond its mapping; a definition asks only for what the platform can do.

    Args:
        match: which records may be touched or made at the platform.
        clear_nulls: empty an attribute at the platform whose source is empty now; otherwise it is left as it is.
        compare: read what the platform holds first, and write only what differs; where it can be read back.
    """

    match: Match = Match.UPSERT
    clear_nulls: bool = False
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Hold an Airflow connection as a platform's file reads it; what each field means stands there."""

    name: str
    base_url: str = ""
    login: str = ""
    secret: str = field(default="", repr=False)
    extras: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Name a record that a platform took for later: which one, and its place in the job."""

    record_id: str
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Hold one request: its records in the order of the body, and the body itself.

    A platform that takes one record at a time has batches without a body; it stops between two of them.

    `refused` are records that fit into no request at all: `send` gives their receipts back and sends nothing of them.
    A batch may hold nothing but refused ones.
    """

    records: tuple[Profile, ...]
    body: bytes
    skip_hook: bool
    refused: tuple[Receipt, ...] = ()

    @property
    def holds_events(self) -> bool:
        """Say whether sending this batch twice could store an event twice."""
        return any(record.events for record in self.records)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Hold what the platform answered, as far as its file of replies needs it."""

    status: int
    body: bytes
    retry_after_seconds: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


class NextStep(StrEnum):
    """Say what `send` has to do after a reply; what it gives back is always DONE."""

    DONE = "done"  # the receipts are final
    SPLIT = "split"  # too large: nothing was taken, send the halves
    BISECT = "bisect"  # the answer doesn't say who failed: send the halves once, if that can double nothing
    RETRY = "retry"  # it failed, or the answer is lost and sending again doubles nothing
    WAIT = "wait"  # throttled: nothing was taken
    STOP = "stop"  # the connection is refused: nothing more may be sent
    MISDIRECTED = "misdirected"  # something else than the platform answers there


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """Say what became of a batch: one receipt for each of its records and refused ones, in their order.

    Args:
        receipts: what became of each record. Where `next_step` isn't DONE: what it is to be if that step fails.
        next_step: DONE from `send`; anything from a file of replies.
        cause: a short word for the whole batch's failure, or "".
        message: the same for a person; never a secret, never a person's data.
        retry_after_seconds: how long the platform asked us to wait.
        requests: how many requests `send` made for this batch.
    """

    receipts: tuple[Receipt, ...]
    next_step: NextStep = NextStep.DONE
    cause: str = ""
    message: str = ""
    retry_after_seconds: float | None = None
    requests: int = 0


class Destination(Protocol):
    """Carry profiles and events to one platform."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what can be promised at this platform."""
        ...

    def expired(self, event: Event, *, now: datetime) -> bool:
        """Say whether the platform would drop this event for its age, without telling."""
        ...

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may.

        A profile with an expired event is skipped as a whole, with cause ``event_expired``: leave the event out first
        (see `without_expired`) to send the rest.
        """
        ...

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles, within the limits by count and by serialized bytes.

        Lazy: holds one batch at a time. Two records of one identity with conflicting values are the caller's matter.

        Args:
            profiles: what to send, already checked.
            skip_hook: take the records without starting journeys; for whole requests.
            max_records: a smaller number of records in a batch than the platform's limit.
        """
        ...

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records; waits and tries again where that is safe.

        An event whose answer was lost is sent again only where the platform dedupes; otherwise its record ends
        ``unknown``.
        Whatever is raised, nothing of this batch was taken: its records are to be held.

        Raises:
            AuthError: the platform refuses our credentials; send nothing more.
            RateLimited: the platform still throttles after the waits that we allow ourselves.
            Unreachable: nobody (or something else) listens where the connection points.
        """
        ...

    def settle(self, job: str, pending: Sequence[Pending]) -> tuple[Receipt, ...] | None:
        """Ask what became of the records that a job took; None: the platform still works on it.

        Only where `capabilities.settles_later`; elsewhere nothing is ever accepted.

        Raises:
            AuthError, RateLimited, Unreachable, RetryableError: ask again later.
        """
        ...

    def test(self) -> None:
        """Make one reading call that proves the connection.

        Raises:
            AuthError: the platform refuses our credentials.
            Unreachable: nobody (or something else) listens where the connection points.
            RetryableError: the platform has a fault of its own.
        """
        ...


def never_expires(event: Event, *, now: datetime) -> bool:
    """Answer `Destination.expired` for a platform that keeps events whatever their age."""
    return False


def never_settles(job: str, pending: Sequence[Pending]) -> tuple[Receipt, ...] | None:
    """Answer `Destination.settle` for a platform whose answer to a request is final."""
    return None


def without_expired(destination: Destination, profile: Profile, *, now: datetime) -> Profile:
    """Return the profile without the events that the platform would silently drop for their age."""
    kept = tuple(event for event in profile.events if not destination.expired(event, now=now))
    return profile if len(kept) == len(profile.events) else replace(profile, events=kept)
