"""Deliver a run in a process of its own that kills itself at a chosen moment: before a commit, or around a request."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from include.activation.options import PushRunOptions
from include.config.pushes import PushDefinition
from include.destinations.protocol import Batch, BatchResult
from include.warehouse.engine import open_warehouse
from tests.activation.source import definition, deliver, insider_one


class Countdown:
    """Kill this process, as the kernel would, when it has been called n times."""

    def __init__(self, moments: int) -> None:
        self._left = moments

    def __call__(self, *_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A platform whose client dies before or after a request."""

    def __init__(self, platform: Any, before: Countdown, after: Countdown) -> None:
        self._platform = platform
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def send(self, batch: Batch) -> BatchResult:
        self._before()
        result = self._platform.send(batch)
        self._after()
        return result


def deliver_and_die(warehouse_url: str, platform_url: str, run_id: int, moment: str, number: int) -> bool:
    """Deliver to the sandbox in a forked process; return whether it was killed on the way."""
    return kill_in_child(
        warehouse_url,
        run_id,
        moment,
        number,
        platform=lambda before, after: Dying(insider_one(platform_url), before, after),
        push=definition(),
        options=PushRunOptions(batch_size=2),
    )


def kill_in_child(
    warehouse_url: str,
    run_id: int,
    moment: str,
    number: int,
    *,
    platform: Callable[[Countdown, Countdown], Any],
    push: PushDefinition,
    options: PushRunOptions,
) -> bool:
    """Deliver in a forked process that kills itself the n-th time that a moment comes; return whether it did."""
    child = os.fork()
    if child == 0:
        try:
            engine = open_warehouse(warehouse_url)
            countdown, never = Countdown(number), Countdown(0)
            if moment == "commit":
                event.listen(engine, "commit", countdown)
            dying = platform(
                countdown if moment == "before_send" else never, countdown if moment == "after_send" else never
            )
            deliver(engine, push, dying, run_id, options=options)
        finally:
            os._exit(0)  # nothing of the test's own may be cleaned up here
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
