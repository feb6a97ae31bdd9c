"""Tell a person what is being done: one line a step, with the seconds it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Step:
    """Hold what a step has to say at its end."""

    said = ""

    def say(self, text: str) -> None:
        """Set what stands behind the seconds."""
        self.said = text


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Print a step's name at once, and its seconds and result when it ends."""
    began = time.monotonic()
    print(f"  {name:<30}", end="", flush=True)
    current = Step()
    try:
        yield current
    except BaseException:
        print(f"{time.monotonic() - began:6.1f} s  failed", flush=True)
        raise
    print(f"{time.monotonic() - began:6.1f} s  {current.said}", flush=True)
