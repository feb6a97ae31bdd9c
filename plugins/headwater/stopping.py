"""Notice that a running push is to stop: its task was ended, or its definition is not what it was."""

from __future__ import annotations

import time
from collections.abc import Callable

from include.config.loader import load_definitions
from include.config.pushes import PushDefinition

_LOOK_SECONDS = 5.0  # between two readings of the definitions


class StopWatch:
    """Say between two batches whether to stop.

    Args:
        push: the definition with which the run began.
        monotonic: the time of this process, in seconds.
    """

    def __init__(self, push: PushDefinition, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._push = push
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._reason = ""

    def stop(self, reason: str) -> None:
        """Ask for a stop; safe in a signal handler."""
        self._reason = reason

    def __call__(self) -> str:
        """Return why to stop, or "" to go on."""
        if not self._reason and self._monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = self._monotonic()
            self._reason = self._changed()
        return self._reason

    def _changed(self) -> str:
        now = load_definitions().pushes.get(self._push.push)
        if now is None:
            return "its definition is gone or cannot be read"
        before, after = self._push.model_dump(), now.model_dump()
        changed = sorted(name for name in before if before[name] != after.get(name))
        return f"its definition was changed ({', '.join(changed)})" if changed else ""
