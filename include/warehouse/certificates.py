"""Keep the comparisons of rows here with rows in the org."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Compare the rows of one object here and in the org: those with CreatedDate < `as_of` that are not deleted."""

    object: str
    here: int
    in_org: int
    as_of: datetime
    note: str = ""

    @property
    def difference(self) -> int:
        """Return how many records the warehouse lacks (negative: has too many)."""
        return self.in_org - self.here
