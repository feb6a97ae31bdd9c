"""Import Great Expectations without what only its histograms need: the statistics of scipy and the charts of altair.

These two are half of what the import takes. Each is read when something first asks it for anything, so an expectation
that compares histograms works as ever, a second later.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

LATER = frozenset({"altair", "scipy.stats"})


class _Later(MetaPathFinder):
    """Find the modules that can wait, each with a loader that runs it at its first use."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how one of them is to be loaded; None for all others."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@cache
def import_great_expectations() -> None:
    """Import Great Expectations, so that importing it by name is free from here on."""
    later = _Later()
    collects = gc.isenabled()
    sys.meta_path.insert(0, later)
    gc.disable()  # thousands of classes are made and none is let go: looking for garbage among them finds none
    try:
        import_module("great_expectations.expectations")
    finally:
        sys.meta_path.remove(later)
        if collects:
            gc.enable()
