"""How busy the people in the org are, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold a pace and a seed; a share of the changes shows late, as slow commits do."""

    changes_per_minute: float = 30.0
    seed: int = 1
    late_share: float = 0.0
    late_seconds: float = 20.0
    working_hours: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)  # kind -> weight, instead of the usual one


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Say what came of one change: how many records were written, and how many were refused."""

    kind: str
    written: int = 0
    refused: int = 0
