"""The objects of the org; they can change while others read."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from include.sandbox.org.schema.account import ACCOUNT
from include.sandbox.org.schema.activity import EVENT, TASK
from include.sandbox.org.schema.attachment import ATTACHMENT
from include.sandbox.org.schema.campaign import CAMPAIGN, CAMPAIGN_MEMBER
from include.sandbox.org.schema.case import CASE
from include.sandbox.org.schema.contact import CONTACT
from include.sandbox.org.schema.deal_role import OPPORTUNITY_CONTACT_ROLE
from include.sandbox.org.schema.definitions import DEFINITIONS
from include.sandbox.org.schema.everything import DETAIL, EVERYTHING
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.schema.history import HISTORIES
from include.sandbox.org.schema.lead import LEAD
from include.sandbox.org.schema.opportunity import OPPORTUNITY
from include.sandbox.org.schema.people import ORGANIZATION, USER
from include.sandbox.org.schema.setup import (
    GROUP,
    GROUP_MEMBER,
    LEAD_STATUS,
    PROFILE,
    QUEUE_SOBJECT,
    RECORD_TYPE,
    USER_ROLE,
)
from include.sandbox.org.schema.subscription import SUBSCRIPTION

_OBJECTS = (
    ACCOUNT, ATTACHMENT, CAMPAIGN, CAMPAIGN_MEMBER, CASE, CONTACT, DETAIL, EVENT, EVERYTHING, GROUP, GROUP_MEMBER,
    LEAD, LEAD_STATUS, OPPORTUNITY, OPPORTUNITY_CONTACT_ROLE, ORGANIZATION, PROFILE, QUEUE_SOBJECT, RECORD_TYPE,
    SUBSCRIPTION, TASK, USER, USER_ROLE, *HISTORIES,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Hold the objects as of one moment, and when each was last changed by an administrator."""

    objects: Mapping[str, SObject]
    changed: Mapping[str, datetime] = field(default_factory=dict)
    by_name: dict[str, SObject] = field(init=False, repr=False, compare=False, default_factory=dict)
    by_prefix: dict[str, SObject] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Definitions of objects can be queried, but are no objects with records of their own.
        self.by_name.update({each.name.lower(): each for each in (*DEFINITIONS, *self.objects.values())})
        self.by_prefix.update({each.prefix: each for each in self.objects.values()})

    def find(self, name: str) -> SObject | None:
        """Return the object of this API name, or None."""
        return self.by_name.get(name.lower())

    def with_objects(self, changed: Iterable[SObject], removed: Iterable[str] = ()) -> Snapshot:
        """Return the snapshot with some objects changed, added or gone."""
        objects = {**self.objects, **{each.name: each for each in changed}}
        for name in removed:
            objects.pop(name, None)
        return replace(self, objects=dict(sorted(objects.items())))


class Catalogue:
    """Find objects by API name, in any spelling of case, or by the prefix of an Id.

    Everybody holds the same catalogue. A change of metadata swaps the snapshot behind it, so that whoever has looked
    something up keeps a consistent value, and the next look-up sees the change.
    """

    def __init__(self, objects: tuple[SObject, ...] = _OBJECTS) -> None:
        self.shipped = Snapshot(objects={each.name: each for each in sorted(objects, key=lambda each: each.name)})
        self.snapshot = self.shipped
        self.generation = 0
        self._changing = threading.RLock()

    @property
    def objects(self) -> Mapping[str, SObject]:
        """Return the objects by API name."""
        return self.snapshot.objects

    def find(self, name: str) -> SObject | None:
        """Return the object of this API name, or None."""
        return self.snapshot.find(name)

    def of_id(self, record_id: str) -> SObject | None:
        """Return the object whose records have Ids like this one, or None."""
        return self.snapshot.by_prefix.get(record_id[:3])

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let one administrator in at a time: tables and snapshot change inside."""
        with self._changing:
            yield

    def swap(self, snapshot: Snapshot) -> None:
        """Put a changed snapshot in place of the old one."""
        with self._changing:
            self.snapshot = snapshot
            self.generation += 1

    def settled(self) -> int:
        """Return the generation once no change is under way any more."""
        with self._changing:
            return self.generation
