"""A destination that takes everything and remembers it: for tests of what a push makes of its records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations.protocol import Batch, BatchResult, Pending
from include.records import Event, Outcome, Profile, ProfileAction, Receipt


class Noted:
    """Keep the profiles of every batch."""

    capabilities: Capabilities = PLATFORMS["insider_one"].capabilities

    def __init__(self) -> None:
        self.batches: list[tuple[Profile, ...]] = []

    def profiles_of(self, action: ProfileAction) -> list[Profile]:
        return [profile for batch in self.batches for profile in batch if profile.action is action]

    @property
    def profiles(self) -> list[Profile]:
        return [profile for batch in self.batches for profile in batch]

    def expired(self, event: Event, *, now: datetime) -> bool:
        return False

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        return None

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        records = tuple(profiles)
        if records:
            yield Batch(records=records, body=b"{}", skip_hook=skip_hook)

    def send(self, batch: Batch) -> BatchResult:
        self.batches.append(batch.records)
        return BatchResult(
            receipts=tuple(Receipt(record_id=each.record_id, outcome=Outcome.DELIVERED) for each in batch.records)
        )

    def settle(self, job: str, pending: Sequence[Pending]) -> None:
        raise NotImplementedError

    def test(self) -> None: ...
