"""A connector to the sandbox Intercom, for tests."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from include.config.platforms import Match
from include.destinations.intercom.destination import Intercom
from include.destinations.line import Patience
from include.destinations.protocol import BatchResult, Policy
from include.records import Event, Profile, Receipt
from include.sandbox.intercom.credentials import TOKEN

AT = datetime(2026, 1, 31, 10, 20, 30, 500_000, tzinfo=UTC)
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16", "Content-Type": "application/json"}


class Line:
    """A connector that notes what its bucket is told, and makes no pauses."""

    def __init__(self, url: str, *, match: Match = Match.UPSERT, **options: Any) -> None:
        self.pauses: list[float] = []
        self.observed: list[tuple[int, float, int | None]] = []
        self.told_to_wait: list[float] = []
        self.tokens = 0
        patience = options.pop("patience", Patience(sleep=self.pauses.append))
        policy = Policy(
            match=match, clear_nulls=options.pop("clear_nulls", False), compare=options.pop("compare", False)
        )
        token = options.pop("token", TOKEN)
        self.intercom = Intercom(
            base_url=url, token=token, bucket=self, policy=policy, patience=patience, **({"connections": 4} | options)
        )

    def take(self, tokens: int = 1, *, lane: str = "") -> None:
        self.tokens += tokens

    def observe(self, *, remaining: int, resets_in_seconds: float, limit: int | None = None, lane: str = "") -> None:
        self.observed.append((remaining, resets_in_seconds, limit))

    def pause(self, seconds: float, *, lane: str = "") -> None:
        self.told_to_wait.append(seconds)

    def send(self, *profiles: Profile) -> BatchResult:
        """Check, build and send; the receipts are in the order of the records."""
        for profile in profiles:
            assert self.intercom.check(profile, now=AT) is None
        (batch,) = self.intercom.build(profiles, skip_hook=False)
        result = self.intercom.send(batch)
        assert [one.record_id for one in result.receipts] == [one.record_id for one in batch.records]
        return result

    def one(self, profile: Profile) -> Receipt:
        return self.send(profile).receipts[0]


def tally(result: BatchResult) -> dict[str, int]:
    return dict(Counter(str(receipt.outcome) for receipt in result.receipts))


def person(number: int = 1, *, with_event: bool = False, **changes: Any) -> Profile:
    fields: dict[str, Any] = {
        "record_id": f"r{number}",
        "identifiers": {"uuid": f"u{number}", "email": f"p{number}@example.com"},
        "attributes": {"name": f"Ada {number}"},
        "events": (Event(key=f"k{number}", name="deal-won", at=AT, params={"stage": "won"}),) if with_event else (),
    }
    return Profile(**(fields | changes))
