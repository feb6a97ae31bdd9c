"""The frozen values that travel between rooms.

They hold no behaviour beyond small derived properties, so that every room can import them and no other room.
Times are aware UTC; window ends are `low` (included) and `high` (excluded).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunMode(StrEnum):
    """Say which records an extract run reads (docs/windows.md)."""

    CHANGES = "changes"  # from the cursor, less the lookback, up to now; moves the cursor
    LAST_DAY = "last_day"  # the last 24 hours; the cursor stays
    INTERVAL = "interval"  # the data interval of a backfill; the cursor stays
    FULL = "full"  # everything up to now; moves the cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hold a half-open span of the cursor field: `low` included, `high` excluded, whole seconds, UTC.

    `low` is None for "from the beginning".
    """

    low: datetime | None
    high: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Hold which part of a window a slice reads: Ids or stamps, from (included) and below; nothing: all of it."""

    id_from: str = ""
    id_below: str = ""
    low: datetime | None = None
    high: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowRun:
    """Name the Airflow task attempt that one of our runs belongs to; all empty outside Airflow."""

    dag_id: str = ""
    dag_run_id: str = ""
    task_id: str = ""
    try_number: int = 0
    run_type: str = ""  # scheduled | manual | backfill | asset_triggered


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgIdentity:
    """Say which org answered: its 18-character Id and where it lives."""

    org_id: str
    instance_url: str
    name: str = ""
    is_sandbox: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Describe one field of an object, as far as reading and storing it needs.

    Source: the `fields` of an sObject describe (REST API guide, "sObject Describe").
    """

    name: str
    label: str
    type: str  # Salesforce's own word: string, reference, double, datetime …
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    calculated: bool = False
    custom: bool = False
    filterable: bool = True
    compound: str | None = None  # compoundFieldName
    reference_to: tuple[str, ...] = ()
    picklist: tuple[str, ...] = ()
    held: bool = False  # not read: the change that brought it waits for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe:
    """Describe one object: its name, label and fields in the org's order."""

    object: str
    label: str
    key_prefix: str | None
    fields: tuple[Field, ...]
    replicateable: bool = True
    queryable: bool = True
    last_modified: str | None = None  # the Last-Modified header, sent back as If-Modified-Since

    def field(self, name: str) -> Field | None:
        """Return the field with this API name (case as in the org), or None."""
        return next((each for each in self.fields if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """Say how one field changed between two describes; `before` or `after` is "" where there was or is none."""

    object: str
    field: str
    kind: str  # added | removed | returned | type | length | label | picklist | formula
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Hold what people are told: `text` is for a mail, `body` for a program. Neither names a person or a secret.

    `html` is the same as `text`, for mail programs that show it.
    """

    subject: str
    text: str
    body: Mapping[str, Any]
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPast:
    """Hold how far an object has been read."""

    object: str
    first_loaded_at: datetime | None = None
    state: str = ""  # of its last run
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPast:
    """Hold a push as it is defined, and what became of its last run."""

    push: str
    skip_hook: bool
    ever_ran: bool = False
    selected: int = 0
    causes: Mapping[str, int] = field(default_factory=dict)  # of skipped, rejected and unknown records


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPast:
    """Hold what our ledgers remember of the org behind a connection."""

    pinned_org_id: str = ""
    objects: tuple[ObjectPast, ...] = ()
    pushes: tuple[PushPast, ...] = ()
    budget_pause: str = ""  # why calls were held back within the last hours


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """Count what became of the rows that an extract read. read = inserted + updated + unchanged + rejected.

    `deleted` counts those of the inserted and updated rows that came in as deleted.
    """

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    nul_removed: int = 0

    @property
    def changed(self) -> int:
        """Return how many rows of the warehouse differ from before."""
        return self.inserted + self.updated

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            read=self.read + other.read,
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            deleted=self.deleted + other.deleted,
            rejected=self.rejected + other.rejected,
            nul_removed=self.nul_removed + other.nul_removed,
        )


class Outcome(StrEnum):
    """Say what became of one record in one push run; every selected record ends in exactly one."""

    DELIVERED = "delivered"  # the platform took it
    ACCEPTED = "accepted"  # the platform works on it; settled later
    UNCHANGED = "unchanged"  # nothing new to send
    SKIPPED = "skipped"  # our rule, with a reason
    REJECTED = "rejected"  # the platform's or our validation
    UNKNOWN = "unknown"  # sent, answer lost
    HELD = "held"  # not sent: fast fail, open circuit, no approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Hold one event of a profile, with the key under which it is sent at most once."""

    key: str
    name: str
    at: datetime
    params: Mapping[str, Any] = field(default_factory=dict)
    custom_params: Mapping[str, Any] = field(default_factory=dict)


class ProfileAction(StrEnum):
    """Say what is to be done to a profile; all but the first are for records that are gone."""

    UPSERT = "upsert"
    CLEAR = "clear"  # empty the attributes that the push maps
    ARCHIVE = "archive"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Hold what one record becomes at a platform: who it is, what is known, what happened.

    `attributes` and `custom_attributes` hold JSON values; a None means that the source is empty now.
    `former_identifiers` are those by which the platform took the record last, where they differ from those of now, and
    `platform_id` the platform's own id of it, where it told one. `as_of` is when the record last changed in its source.
    """

    record_id: str
    identifiers: Mapping[str, str]
    custom_identifiers: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    custom_attributes: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    action: ProfileAction = ProfileAction.UPSERT
    former_identifiers: Mapping[str, str] = field(default_factory=dict)
    platform_id: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Say what became of one record: its outcome, a short cause to group by, and a message for a person.

    Neither cause nor message holds a value of the record. An accepted record names the platform's job that will tell
    what became of it, and its place there; `platform_id` is the platform's own id of the profile, where it told one.
    """

    record_id: str
    outcome: Outcome
    cause: str = ""
    message: str = ""
    retryable: bool = False
    platform_id: str = ""
    job: str = ""
    job_place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Say how many requests a platform takes in a window of so many seconds."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """Count the outcomes of a push run; they sum to `selected`."""

    selected: int = 0
    delivered: int = 0
    accepted: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    unknown: int = 0
    held: int = 0

    @property
    def settled(self) -> int:
        """Return the sum of all outcomes; equal to `selected` when the run is balanced."""
        return self.delivered + self.accepted + self.unchanged + self.skipped + self.rejected + self.unknown + self.held

    @property
    def failed(self) -> int:
        """Return how many records were tried and did not arrive."""
        return self.rejected + self.unknown
