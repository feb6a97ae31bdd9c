"""A delivery whose warehouse breaks off between the platform's answer and its recording."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from include.activation.options import PushRunOptions
from include.destinations.protocol import Batch, BatchResult
from include.errors import AuthError, WarehouseDown
from include.records import OutcomeCounts
from include.warehouse.engine import transaction
from include.warehouse.pushes.outbox import mark_request
from tests.activation.source import Org, contact_id, definition, deliver, insider_one, select
from tests.sandbox.insider_one.running import Sandbox

_WAITING = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO headwater.outcome%'"
)


class Followed:
    """A platform after whose requests something happens, before the answer is recorded."""

    def __init__(self, platform: Any, after: Callable[[], None]) -> None:
        self._platform = platform
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def send(self, batch: Batch) -> BatchResult:
        try:
            result: BatchResult = self._platform.send(batch)
            return result
        finally:
            self._after()


@contextmanager
def session(url: str, *, autocommit: bool = True) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=autocommit) as connection:
        yield connection


class Cut:
    """Locks the outcomes, ends the session that then waits to write them, and lets go."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._locked = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.ended = 0

    def start(self) -> None:
        self._thread.start()
        assert self._locked.wait(30)

    def join(self) -> None:
        self._thread.join(60)

    def _run(self) -> None:
        with session(self._url, autocommit=False) as locking, session(self._url) as watching:
            # Not ACCESS EXCLUSIVE: it would wait for the delivery, which reads this table until its end.
            locking.execute("LOCK TABLE headwater.outcome IN SHARE MODE")
            self._locked.set()
            deadline = time.monotonic() + 30
            while not self.ended and time.monotonic() < deadline:
                self.ended = len(watching.execute(_WAITING).fetchall())
                time.sleep(0.02)
            locking.rollback()


def events_per_record(platform: Sandbox) -> Counter[str]:
    return Counter(each["insider_id"] for each in platform.get("/sandbox/events?limit=1000")["events"])


def states(org: Org, table: str) -> list[str]:
    return sorted(row.state for row in org.run(f"SELECT state FROM headwater.{table}"))


def close_warehouse(postgres_url: str, org: Org) -> None:
    """End every session of the test's database and let nobody in."""
    name = org.engine.url.database
    with session(postgres_url) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])


def open_warehouse_again(postgres_url: str, org: Org) -> None:
    with session(postgres_url) as admin:
        admin.execute(f'ALTER DATABASE "{org.engine.url.database}" ALLOW_CONNECTIONS true')


def test_an_answer_that_could_not_be_stored_is_unknown_and_not_sent_again(
    org: Org, platform: Sandbox, warehouse_url: str
) -> None:
    """The session is ended while it stores the answer: the platform has the events, so they never go again."""
    org.add_contacts(5)
    push = definition()
    run = select(org.engine, push)
    cut = Cut(warehouse_url)

    with pytest.raises(WarehouseDown):
        deliver(org.engine, push, Followed(insider_one(platform.url), after=cut.start), run.run_id)
    cut.join()

    assert cut.ended == 1
    assert states(org, "outbox") == ["unknown"] * 5
    assert states(org, "push_request") == ["lost"]
    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id)
    assert counts == OutcomeCounts(selected=5, unknown=5)
    assert sorted(events_per_record(platform).values()) == [1] * 5
    assert [outcome for _, outcome, _ in org.open_errors()] == ["unknown"] * 5


def test_a_warehouse_that_stays_away_leaves_it_to_the_next_delivery(
    org: Org, platform: Sandbox, postgres_url: str
) -> None:
    """Nothing can be written at the stop: the next delivery says unknown of what was sent, and sends the rest."""
    org.add_contacts(5)
    push, options = definition(), PushRunOptions(batch_size=3)
    run = select(org.engine, push)
    closing = Followed(insider_one(platform.url), after=lambda: close_warehouse(postgres_url, org))

    with pytest.raises(WarehouseDown):
        deliver(org.engine, push, closing, run.run_id, options=options)
    open_warehouse_again(postgres_url, org)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)
    assert counts == OutcomeCounts(selected=5, delivered=2, unknown=3)
    assert sorted(events_per_record(platform).values()) == [1] * 5


def test_a_warehouse_that_is_gone_hides_no_other_error(org: Org, platform: Sandbox, postgres_url: str) -> None:
    """The platform refused the credentials and then the warehouse went: the credentials are what must be heard of."""
    org.add_contacts(2)
    platform.fault(status=403)
    push = definition()
    run = select(org.engine, push)
    closing = Followed(insider_one(platform.url), after=lambda: close_warehouse(postgres_url, org))

    with pytest.raises(AuthError):
        deliver(org.engine, push, closing, run.run_id)
    open_warehouse_again(postgres_url, org)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id)
    assert counts == OutcomeCounts(selected=2, unknown=2)
    assert platform.counts["events"] == 0


def test_refused_credentials_leave_nothing_claimed(org: Org, platform: Sandbox) -> None:
    """The platform took nothing: the next run sends these records with their events."""
    org.add_contacts(3)
    platform.fault(status=403)
    push = definition()
    first = select(org.engine, push)

    with pytest.raises(AuthError):
        deliver(org.engine, push, insider_one(platform.url), first.run_id)

    assert states(org, "outbox") == []
    assert states(org, "push_request") == ["dropped"]
    assert org.outcomes(first.run_id) == {contact_id(number): "held" for number in (1, 2, 3)}
    second = select(org.engine, push)
    assert deliver(org.engine, push, insider_one(platform.url), second.run_id).delivered == 3
    assert sorted(events_per_record(platform).values()) == [1] * 3


def test_a_request_that_another_delivery_settled_is_not_sent(org: Org, platform: Sandbox) -> None:
    """Who lost the lock of a push finds the request settled, and may neither send nor record it."""
    org.add_contacts(1)
    push = definition()
    run = select(org.engine, push)
    deliver(org.engine, push, insider_one(platform.url), run.run_id)

    for state in ("sent", "answered", "written"):
        with pytest.raises(WarehouseDown, match="another delivery"), transaction(org.engine) as connection:
            mark_request(connection, run.run_id, 1, state)

    assert states(org, "push_request") == ["answered"]
