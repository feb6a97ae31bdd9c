"""Map one row, as `prepare` maps many."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.activation.mapping import compile_mapping
from include.config.pushes import PushDefinition
from include.records import Profile, Receipt


def map_one(
    push: PushDefinition, row: Mapping[str, Any], *, record_id: str, stamp: datetime | None, run: str, now: datetime
) -> Profile | Receipt:
    """Return the profile of one row, or why it is skipped."""
    found = compile_mapping(push).profile(row, record_id=record_id, stamp=stamp, run=run, now=now)
    return found if isinstance(found, Receipt) else found[0]
