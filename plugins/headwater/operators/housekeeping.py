"""Keep the ledgers in bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class HousekeepingOperator(BaseOperator):
    """Remove from the ledgers what is older than `housekeeping.yaml` keeps; never what is open."""

    ui_color = "#e2e8f0"

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many rows went, by ledger."""
        from headwater.hooks import definitions, warehouse_engine
        from include.warehouse.housekeeping import sweep

        gone = sweep(warehouse_engine(), definitions().housekeeping)
        self.log.info("removed %s", ", ".join(f"{count:,} of {name}" for name, count in gone.items()) or "nothing")
        return gone
