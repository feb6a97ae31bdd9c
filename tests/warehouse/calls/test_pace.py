"""The bucket that all processes share: simulated to the second, and with real processes that are killed."""

from __future__ import annotations

import heapq
import os
import signal
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from include.errors import RateLimited
from include.records import Pace
from include.warehouse.calls.pace import WarehouseBucket
from include.warehouse.engine import open_warehouse, transaction

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Worker:
    """A process of its own time: it takes permission, then its request takes `seconds`."""

    engine: Engine
    pace: Pace
    seconds: float
    at: float = 0.0
    sent: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bucket = WarehouseBucket(
            self.engine,
            connection="one",
            paces={"": self.pace},
            clock=lambda: START + timedelta(seconds=self.at),
            monotonic=lambda: self.at,
            sleep=self._sleep,
        )

    def send(self) -> None:
        self.bucket.take()
        self.sent.append(self.at)
        self.at += self.seconds

    def _sleep(self, seconds: float) -> None:
        self.at += seconds


def simulate(workers: list[Worker], *, seconds: float) -> list[float]:
    """Let each worker send until the time is up, the earliest first; return when requests arrived."""
    due = [(worker.at, place) for place, worker in enumerate(workers)]
    heapq.heapify(due)
    while due:
        at, place = heapq.heappop(due)
        if at < seconds:
            workers[place].send()
            heapq.heappush(due, (workers[place].at, place))
    return sorted(at for worker in workers for at in worker.sent if at < seconds)


def most_in_a_window(arrivals: list[float], seconds: float) -> int:
    """Return the most requests that arrived within any span of so many seconds."""
    return max(bisect_left(arrivals, at + seconds) - place for place, at in enumerate(arrivals))


@pytest.mark.parametrize(
    ("requests", "seconds", "workers", "took"),
    [
        (2_500, 6.0, 3, 0.001),  # Insider One's pace, a tenth of its minute
        (333, 2.0, 4, 0.015),  # Intercom's, a fifth of its ten seconds
        (10, 1.0, 3, 0.05),  # a slow platform
        (100, 10.0, 5, 0.3),
    ],
)
def test_processes_together_keep_the_limit_and_nearly_reach_it(
    warehouse: Engine, requests: int, seconds: float, workers: int, took: float
) -> None:
    """However the platform's windows lie, none holds more than the limit; over two windows 95 % of it is used."""
    crowd = [Worker(warehouse, Pace(requests=requests, seconds=seconds), took) for _ in range(workers)]

    arrivals = simulate(crowd, seconds=2 * seconds)

    assert most_in_a_window(arrivals, seconds) <= requests
    assert len(arrivals) >= 0.95 * 2 * requests


def test_a_slow_process_leaves_the_pace_to_a_fast_one(warehouse: Engine) -> None:
    """What the slow one reserves and does not use in time is little."""
    pace = Pace(requests=400, seconds=4.0)
    slow, fast = Worker(warehouse, pace, 0.5), Worker(warehouse, pace, 0.001)

    arrivals = simulate([slow, fast], seconds=8.0)

    assert most_in_a_window(arrivals, 4.0) <= 400
    assert len(arrivals) >= 0.95 * 800


def test_the_platform_s_own_count_rules_while_others_use_it_too(warehouse: Engine) -> None:
    """Twenty requests are left for ten seconds: all processes share those, and then the pace is ours again."""
    pace = Pace(requests=100, seconds=10.0)
    crowd = [Worker(warehouse, pace, 0.01) for _ in range(2)]
    crowd[0].bucket.observe(remaining=20, resets_in_seconds=10.0)

    arrivals = simulate(crowd, seconds=20.0)

    assert 17 <= sum(at < 10.0 for at in arrivals) <= 20
    assert sum(at >= 10.0 for at in arrivals) >= 85


def test_a_throttle_of_one_stops_all(warehouse: Engine) -> None:
    """A platform that throttles one process throttles the account: nobody sends before it is over."""
    crowd = [Worker(warehouse, Pace(requests=100, seconds=10.0), 0.01) for _ in range(2)]
    crowd[0].bucket.pause(5.0)

    arrivals = simulate(crowd, seconds=10.0)

    assert arrivals[0] == pytest.approx(5.0)
    assert len(arrivals) >= 45


def test_a_wait_beyond_patience_is_left_to_the_retry(warehouse: Engine) -> None:
    """No worker is held for an hour: whoever asks hears when to come again."""
    worker = Worker(warehouse, Pace(requests=100, seconds=10.0), 0.01)
    worker.bucket.pause(3600.0)

    with pytest.raises(RateLimited) as caught:
        worker.bucket.take()

    assert caught.value.retry_after_seconds == pytest.approx(3600.0)
    assert worker.at == 0.0


def test_a_lane_of_its_own_keeps_its_own_pace(warehouse: Engine) -> None:
    """Searches are limited apart; a lane that nobody named counts with the others."""
    moments: dict[str, list[float]] = {"": [], "search": []}
    at = 0.0

    def sleep(seconds: float) -> None:
        nonlocal at
        at += seconds

    bucket = WarehouseBucket(
        warehouse,
        connection="one",
        paces={"": Pace(requests=100, seconds=10.0), "search": Pace(requests=10, seconds=10.0)},
        clock=lambda: START + timedelta(seconds=at),
        monotonic=lambda: at,
        sleep=sleep,
    )
    for lane in ("search", "", "search", "events"):
        bucket.take(lane=lane)
        moments.setdefault(lane, []).append(at)

    with transaction(warehouse) as connection:
        lanes = connection.execute(text("SELECT lane FROM headwater.pace ORDER BY lane")).scalars().all()
    assert lanes == ["", "search"]
    assert moments["search"][1] - moments["search"][0] == pytest.approx(10 / 9.75)


@pytest.fixture
def children() -> Iterator[list[int]]:
    """Yield a list for the ids of child processes; what still runs at the end is killed."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_killed_process_holds_nobody_up(warehouse: Engine, children: list[int]) -> None:
    """Real processes share the bucket; one is killed while it waits, and the others go on at the same pace."""
    url = warehouse.url.render_as_string(hide_password=False)
    pace = Pace(requests=200, seconds=2.0)
    for _ in range(2):
        children.append(_taking(url, pace))
    _await_row(warehouse)
    os.kill(children[0], signal.SIGKILL)
    os.waitpid(children.pop(0), 0)

    bucket = WarehouseBucket(warehouse, connection="one", paces={"": pace})
    moments = []
    for _ in range(40):
        bucket.take()
        moments.append(time.monotonic())

    assert most_in_a_window(moments, 2.0) <= 200


def _taking(url: str, pace: Pace) -> int:
    child = os.fork()
    if child:
        return child
    try:
        bucket = WarehouseBucket(open_warehouse(url), connection="one", paces={"": pace})
        while True:
            bucket.take()
    finally:
        os._exit(1)


def _await_row(warehouse: Engine) -> None:
    for _ in range(500):
        with transaction(warehouse) as connection:
            if connection.execute(text("SELECT count(*) FROM headwater.pace")).scalar_one():
                return
        time.sleep(0.02)
    raise AssertionError("no child ever took a token")


def test_a_platform_that_asks_for_a_year_is_asked_again_after_an_hour(warehouse: Engine) -> None:
    """One wrong header must not end every push over the connection."""
    pace = Pace(requests=100, seconds=10.0)
    for number, worker in enumerate([Worker(warehouse, pace, 0.01), Worker(warehouse, pace, 0.01)]):
        if number:
            worker.bucket.observe(remaining=1, resets_in_seconds=3e7)
        else:
            worker.bucket.pause(3e7)
        worker.at = (number + 1) * 3_601.0 + number * 3_700

        worker.send()

        assert worker.sent[0] - worker.at < 10.0
