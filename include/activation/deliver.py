"""Deliver what was selected: map, compare, write events down, send, record what became of each record."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from include.config.pushes import PushDefinition
from include.destinations.protocol import Destination
from include.ports import Clock
from include.records import OutcomeCounts


def deliver_push(
    engine: Engine,
    push: PushDefinition,
    destination: Destination,
    *,
    run_id: int,
    skip_hook: bool,
    fast_fail: bool,
    batch_size: int,
    now: Clock,
    resend: bool = False,
    on_progress: Callable[[OutcomeCounts], None] = lambda counts: None,
) -> OutcomeCounts:
    """Send the selection of a run and return what became of it; judge it afterwards with `verdict.settle`.

    Killed at any moment and called again with the same `run_id` it goes on where it was: no event is sent twice; events
    whose request was under way end ``unknown``. Records that an earlier call left ``held`` are tried again.
    One delivery of a push at a time: a second one waits.

    Args:
        engine: the warehouse.
        push: the definition.
        destination: the platform.
        run_id: as returned by `select_push`.
        skip_hook: do not start journeys.
        fast_fail: stop after the first batch in which a record failed; the rest is held.
        batch_size: at most so many records in a request.
        now: the clock, for events whose time is that of sending.
        resend: send unchanged records and already sent events again.
        on_progress: is told the counts so far after each batch.

    Raises:
        FastFailed: a batch failed and `fast_fail` was asked for; everything is recorded.
        AuthError: the platform refused the credentials; the rest is held.
        RateLimited: the platform throttles beyond our patience; the rest is held until the retry.
        Unreachable: nobody listens where the connection points; the rest is held.
        NotReady: there is no such run, or its selection is gone.
        Unbalanced: the outcomes don't sum to the selection: a bug of ours.
    """
    raise NotImplementedError
