"""What one run of a push does: the definition's options, less what the trigger form or an operator says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from include.config.pushes import PushDefinition


class PushMode(StrEnum):
    """Say which records a push run looks at, and whether it compares them with what was sent."""

    CHANGED = "changed"  # every record; those that differ from what was last sent go out
    INTERVAL = "interval"  # records whose stamp lies in the interval of a backfill; compared likewise
    ALL = "all"  # every record goes out again; events that were sent are still not sent twice


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRunOptions:
    """Hold what a run does; see `include.config.pushes.PushOptions` for the words."""

    skip_hook: bool = False
    fast_fail: bool = False
    batch_size: int = 1000
    max_failed_share: float = 0.5
    approve_above: int = 50_000


def options_of(
    push: PushDefinition,
    *,
    skip_hook: bool | None = None,
    fast_fail: bool | None = None,
    batch_size: int | None = None,
    max_failed_share: float | None = None,
    approve_above: int | None = None,
) -> PushRunOptions:
    """Return the definition's options with those replaced that are given."""
    said = push.options
    return PushRunOptions(
        skip_hook=said.skip_hook if skip_hook is None else skip_hook,
        fast_fail=said.fast_fail if fast_fail is None else fast_fail,
        batch_size=said.batch_size if batch_size is None else batch_size,
        max_failed_share=said.max_failed_share if max_failed_share is None else max_failed_share,
        approve_above=said.approve_above if approve_above is None else approve_above,
    )
