"""What a person says in `definitions/housekeeping.yaml`: how long ledgers are kept, and what disk a load must leave."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from include.config.model import Cron, DefinitionModel

Days = Annotated[int, Field(ge=1, le=36_500)] | None  # null: for ever


class Retention(DefinitionModel):
    """Hold for how many days each ledger is kept; what is open, and what we go on from, is kept whatever its age."""

    runs: Days = 400
    extracts: Days = 400
    certificates: Days = 400
    reconciliations: Days = 400
    probes: Days = 14
    api_calls: Days = 90
    schema_changes: Days = 730
    assessments: Days = 400
    journals: Days = Field(default=30, description="of what changed since the last assessment, where none comes")
    selections: Days = 30
    outcomes: Days = 90
    outbox: Days = Field(default=730, description="an event whose key is forgotten could be sent a second time")
    sync_errors: Days = 400
    rejects: Days = 400
    notifications: Days = 90


class DiskRoom(DefinitionModel):
    """Hold what a load must leave free."""

    keep_free_percent: float = Field(default=10.0, ge=0, le=90)
    database_limit_gb: float | None = Field(
        default=None, gt=0, description="how large the database may become, where its disk can't be asked"
    )


class HousekeepingDefinition(DefinitionModel):
    """Hold everything about housekeeping; a file that is not there means the defaults."""

    schedule: Cron = "15 4 * * *"
    owner: str = "data"
    batch_rows: int = Field(default=10_000, ge=100, le=1_000_000)
    retention: Retention = Retention()
    disk: DiskRoom = DiskRoom()


def keep_everything() -> HousekeepingDefinition:
    """Return what rules while the file is wrong: nothing is removed that a person may have wanted to keep."""
    return HousekeepingDefinition(retention=Retention(**dict.fromkeys(Retention.model_fields)))
