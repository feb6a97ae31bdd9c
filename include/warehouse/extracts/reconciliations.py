"""Keep what each comparison of all Ids with the org found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Hold what a comparison found and what became of it; see the columns of headwater.reconciliation."""

    object: str
    compared_at: datetime
    in_org: int
    here: int
    missing: int = 0
    stale: int = 0
    vanished: int = 0
    purged: int = 0
    fetched: int = 0
    rejected: int = 0
    recalculated: int = 0
    remaining: int = 0
    quarantined: bool = False

    @property
    def changed(self) -> int:
        """Return how many rows of the warehouse the comparison may have changed."""
        marked = 0 if self.quarantined else self.vanished
        return self.fetched - self.rejected + self.recalculated + marked


def keep_reconciliation(connection: Connection, org: str, run_id: int, found: Reconciliation) -> None:
    """Write what a run found, in the transaction of what it mended."""
    values = asdict(found) | {"run_id": run_id, "org": org}
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO headwater.reconciliation ({names}) VALUES ({marks})"), values)
