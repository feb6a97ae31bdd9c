"""Run the org's life: at a rate in the background, or some steps at once."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.sandbox.org.org import Org


class Life:
    """Write like a sales team; the n-th change depends on the seed, on n, and on what the org holds."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._met: Counter[str] = Counter()

    def stop(self) -> None:
        """Stop the background writer."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def shown(self, _org: Org) -> dict[str, Any]:
        """Return what was done so far."""
        return {"running": self._thread is not None, "changes": dict(self._met)}
