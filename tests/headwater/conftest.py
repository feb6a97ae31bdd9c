"""The fixtures of the operators' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headwater import hooks
from tests.headwater.connected import sandboxes, site

__all__ = ["sandboxes", "site"]


@pytest.fixture(autouse=True)
def _definitions_of_its_own() -> Iterator[None]:
    """Let each test read its definitions: a task is a process that reads them once, and tests share one process."""
    hooks.definitions.cache_clear()
    yield
    hooks.definitions.cache_clear()
