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
    """Write what a run found, in place of what an earlier pass of the same run wrote."""
    values = asdict(found) | {"run_id": run_id, "org": org}
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in values if name != "run_id")
    connection.execute(
        text(
            f"INSERT INTO headwater.reconciliation ({names}) VALUES ({marks}) ON CONFLICT (run_id) DO UPDATE"
            f" SET {replaced}, written_at = now()"
        ),
        values,
    )


def last_reconciliation(connection: Connection, org: str, object: str) -> Reconciliation | None:
    """Return the newest comparison of an object, or None."""
    row = (
        connection.execute(
            text(
                "SELECT object, compared_at, in_org, here, missing, stale, vanished, purged, fetched, rejected,"
                " recalculated, remaining, quarantined FROM headwater.reconciliation"
                " WHERE org = :org AND object = :object"
                " ORDER BY run_id DESC LIMIT 1"
            ),
            {"org": org, "object": object},
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Reconciliation(**row)
