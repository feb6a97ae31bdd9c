"""Hand out permission to send: one bucket for each connection, shared by all processes, without a lock to wait behind.

Moments at which a request may be made are reserved ahead in the row of the connection's lane, in blocks as long as a
process needs them at its own speed. Spread evenly, they keep a platform's limit however its windows lie. What a killed
process had reserved passes by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, text

from include.errors import RateLimited
from include.ports import Clock
from include.records import Pace
from include.warehouse.engine import transaction

_SHARE = 0.975  # of a platform's limit: the rest is for what arrives late and so falls into the next window
_LATE_SHARE = 0.01  # of a window: a moment that is longer gone is given up
_BLOCK_SECONDS = 0.25  # a process reserves at most so far ahead of the others
_LONGEST_WAIT_SECONDS = 120.0
_LONGEST_PAUSE_SECONDS = 3_600.0  # a platform that asks for more is asked again then: a wrong header may say years
_SLOWER = 1.1  # the platform's own count rules when it allows less than our pace by as much

# While the platform's own count rules, moments are reserved one by one: none reaches far beyond its window.
_RESERVE = text(
    "UPDATE headwater.pace AS p SET next_at = greatest(p.next_at, c.now) + make_interval(secs => c.tokens * c.step)"
    " FROM (SELECT clock.now, CASE WHEN q.slow_until > clock.now THEN greatest(q.slow_seconds, :step) ELSE :step END"
    " AS step, CASE WHEN q.slow_until > clock.now THEN 1 ELSE :tokens END AS tokens FROM headwater.pace AS q,"
    " (SELECT coalesce(CAST(:now AS timestamptz), clock_timestamp()) AS now) AS clock"
    " WHERE q.connection = :connection AND q.lane = :lane) AS c"
    " WHERE p.connection = :connection AND p.lane = :lane AND p.next_at <= c.now + make_interval(secs => :longest)"
    " RETURNING extract(epoch FROM p.next_at - c.now)::float8 AS ahead, c.step, c.tokens"
)


@dataclass(slots=True)
class _Lease:
    """Hold the moments that this process has reserved in a lane, by its own monotonic clock."""

    next_at: float = 0.0
    left: int = 0
    step: float = 0.0
    block: int = 1
    requests: int = 0  # of a window as the platform says it; 0: it did not
    told: tuple[float, float] = (0.0, 0.0)  # until when, and how slow: what we last wrote down of its count


class WarehouseBucket:
    """Be the bucket of one connection; several threads may use it at once.

    Args:
        engine: the warehouse.
        connection: name of the connection, which all who share it know.
        paces: how fast each lane may be used; calls of other lanes count for the lane "".
        clock: the time that all share; None: that of the warehouse.
        monotonic: the time of this process, in seconds.
        sleep: waits.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        connection: str,
        paces: Mapping[str, Pace],
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._connection = connection
        self._paces = paces
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._leases: dict[str, _Lease] = {}

    def take(self, tokens: int = 1, *, lane: str = "") -> None:
        """Return when `tokens` requests may be sent; blocks until then.

        Raises:
            RateLimited: that would take longer than two minutes; nothing may be sent before.
        """
        for _ in range(tokens):
            with self._lock:
                moment = self._next_moment(self._known(lane))
            wait = moment - self._monotonic()
            if wait > 0:
                self._sleep(wait)

    def observe(self, *, remaining: int, resets_in_seconds: float, limit: int | None = None, lane: str = "") -> None:
        """Take note of the platform's own count; where it leaves less than our pace, it rules until its window ends."""
        lane = self._known(lane)
        pace = self._paces.get(lane)
        if pace is None or resets_in_seconds <= 0:
            return
        resets_in_seconds = min(resets_in_seconds, _LONGEST_PAUSE_SECONDS)
        with self._lock:
            lease = self._leases.setdefault(lane, _Lease())
            if limit:
                lease.requests = limit
            step = _step(pace, lease.requests)
            slow = resets_in_seconds / (remaining * _SHARE) if remaining > 0 else resets_in_seconds
            until, told = lease.told
            if slow <= step * _SLOWER or (self._monotonic() < until and slow <= told * _SLOWER):
                return
            lease.told = (self._monotonic() + resets_in_seconds, slow)
            lease.left = 0
        if remaining > 0:
            self._write("slow_until = c.now + make_interval(secs => :seconds), slow_seconds = :slow", lane,
                        seconds=resets_in_seconds, slow=slow)  # fmt: skip
        else:
            self.pause(resets_in_seconds, lane=lane)

    def pause(self, seconds: float, *, lane: str = "") -> None:
        """Let nobody send for so long: the platform throttled us. `take` waits for it."""
        lane = self._known(lane)
        if lane not in self._paces or seconds <= 0:
            return
        seconds = min(seconds, _LONGEST_PAUSE_SECONDS)
        with self._lock:
            self._leases.setdefault(lane, _Lease()).left = 0
        self._write("next_at = greatest(p.next_at, c.now + make_interval(secs => :seconds))", lane, seconds=seconds)

    def _known(self, lane: str) -> str:
        return lane if lane in self._paces else ""

    def _next_moment(self, lane: str) -> float:
        pace = self._paces.get(lane)
        if pace is None:
            return 0.0
        lease = self._leases.setdefault(lane, _Lease())
        late = pace.seconds * _LATE_SHARE
        if lease.left and lease.next_at < self._monotonic() - late:
            lease.left = 0  # they are past: whoever is slower than the pace reserves less ahead
            lease.block = max(1, lease.block // 2)
        if not lease.left:
            self._reserve(lane, pace, lease)
        moment = lease.next_at
        lease.next_at += lease.step
        lease.left -= 1
        return moment

    def _reserve(self, lane: str, pace: Pace, lease: _Lease) -> None:
        step = _step(pace, lease.requests)
        if lease.next_at > self._monotonic() - step:  # the last block was used up in time
            lease.block = max(1, min(lease.block * 2, int(_BLOCK_SECONDS / step)))
        values = {
            "connection": self._connection,
            "lane": lane,
            "tokens": lease.block,
            "step": step,
            "longest": _LONGEST_WAIT_SECONDS,
            "now": self._clock() if self._clock else None,
        }
        with transaction(self._engine) as connection:
            row = connection.execute(_RESERVE, values).one_or_none()
            if row is None:
                self._insist_on_row(lane)
                row = connection.execute(_RESERVE, values).one_or_none()
        if row is None:
            raise self._too_long(lane)
        lease.step, lease.left = row.step, row.tokens
        lease.next_at = self._monotonic() + row.ahead - row.step * row.tokens

    def _insist_on_row(self, lane: str) -> None:
        with transaction(self._engine) as connection:
            connection.execute(
                text(
                    "INSERT INTO headwater.pace (connection, lane) VALUES (:connection, :lane) ON CONFLICT DO NOTHING"
                ),
                {"connection": self._connection, "lane": lane},
            )

    def _too_long(self, lane: str) -> RateLimited:
        with transaction(self._engine) as connection:
            wait = connection.execute(
                text(
                    "SELECT extract(epoch FROM"
                    " next_at - coalesce(CAST(:now AS timestamptz), clock_timestamp()))::float8"
                    " FROM headwater.pace WHERE connection = :connection AND lane = :lane"
                ),
                {"connection": self._connection, "lane": lane, "now": self._clock() if self._clock else None},
            ).scalar_one()
        return RateLimited(
            f"the platform behind the connection {self._connection!r} takes nothing for the next {wait:,.0f} seconds;"
            " what was not sent is held until then",
            retry_after_seconds=max(0.0, wait),
        )

    def _write(self, sets: str, lane: str, **values: float) -> None:
        self._insist_on_row(lane)
        with transaction(self._engine) as connection:
            connection.execute(
                text(
                    f"UPDATE headwater.pace AS p SET {sets}"
                    " FROM (SELECT coalesce(CAST(:now AS timestamptz), clock_timestamp()) AS now) AS c"
                    " WHERE p.connection = :connection AND p.lane = :lane"
                ),
                {
                    "connection": self._connection,
                    "lane": lane,
                    "now": self._clock() if self._clock else None,
                    **values,
                },
            )


def _step(pace: Pace, requests: int) -> float:
    """Return the seconds between two requests; `requests` of a window, where the platform says other than its file."""
    return pace.seconds / ((requests or pace.requests) * _SHARE)
