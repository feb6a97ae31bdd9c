"""Show the requests of a batch where a platform takes more than one of them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from include.destinations.protocol import Batch


@runtime_checkable
class InSteps(Protocol):
    """Be a platform that is sent several requests for one batch."""

    def steps(self, batch: Batch) -> tuple[tuple[str, bytes], ...]:
        """Return what each request asks and its body, as they go if the one before is taken; nothing is sent."""
        ...
