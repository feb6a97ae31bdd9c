from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from include.destinations.klaviyo.destination import Klaviyo
from include.destinations.line import Patience
from include.destinations.protocol import BatchResult, Pending, Policy
from include.records import Event, Outcome, Profile, Receipt
from include.sandbox.klaviyo.credentials import KEY
from tests.sandbox.running import Running, running

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Klav:
    """A connector to the sandbox that notes its pauses instead of making them, and its permissions by lane."""

    def __init__(self, sandbox: Running, **options: Any) -> None:
        self.pauses: list[float] = []
        self.taken: Counter[str] = Counter()
        self.observed: list[int] = []
        self.paused: list[float] = []
        patience = Patience(sleep=self.pauses.append)
        options = {"base_url": sandbox.url, "key": KEY, "patience": patience, "bucket": self} | options
        self.klaviyo = Klaviyo(**options)

    def take(self, tokens: int = 1, *, lane: str = "") -> None:
        self.taken[lane] += tokens

    def observe(self, *, remaining: int, resets_in_seconds: float, limit: int | None = None, lane: str = "") -> None:
        self.observed.append(remaining)

    def pause(self, seconds: float, *, lane: str = "") -> None:
        self.paused.append(seconds)

    def push(self, *profiles: Profile, skip_hook: bool = False) -> BatchResult:
        """Send profiles as one batch."""
        (batch,) = self.klaviyo.build(profiles, skip_hook=skip_hook)
        result = self.klaviyo.send(batch)
        assert [each.record_id for each in result.receipts] == [each.record_id for each in batch.records]
        return result

    def settled(self, result: BatchResult) -> tuple[Receipt, ...]:
        """Settle the accepted records of a result, in their order."""
        found: dict[str, Receipt] = {}
        accepted = [each for each in result.receipts if each.outcome is Outcome.ACCEPTED]
        for job in dict.fromkeys(each.job for each in accepted):
            pending = [Pending(record_id=e.record_id, place=e.job_place) for e in accepted if e.job == job]
            receipts = self.klaviyo.settle(job, pending)
            assert receipts is not None
            found.update((each.record_id, each) for each in receipts)
        return tuple(found.get(each.record_id, each) for each in result.receipts)


def person(number: int, **parts: Any) -> Profile:
    whole: dict[str, Any] = {
        "identifiers": {"uuid": f"u{number}", "email": f"p{number}@example.com"},
        "attributes": {"first_name": f"Ada {number}", "city": "Berlin"},
    }
    return Profile(record_id=f"r{number}", **(whole | parts))


def event(number: int, **parts: Any) -> Event:
    return Event(**({"key": f"k{number}", "name": "Stage changed", "at": NOW} | parts))


def tally(receipts: tuple[Receipt, ...]) -> dict[str, int]:
    return dict(Counter(str(each.outcome) for each in receipts))


@pytest.fixture(scope="session")
def one_klaviyo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a sandbox that the tests of this folder share; its jobs end at once and its rates are far away."""
    with running("klaviyo", tmp_path_factory.mktemp("klaviyo"), "--job-seconds", "0", "--pace", "1000") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_klaviyo: Running) -> Running:
    """Return a running sandbox that holds nothing."""
    one_klaviyo.post("/sandbox/reset")
    return one_klaviyo


@pytest.fixture
def klav(sandbox: Running) -> Klav:
    return Klav(sandbox)


@pytest.fixture
def klav_with(sandbox: Running) -> Callable[..., Klav]:
    return lambda **policy: Klav(sandbox, policy=Policy(**policy))
