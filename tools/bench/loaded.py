"""Find the table of an object in a warehouse that the bench loaded."""

from __future__ import annotations

from include.config.orgs import OrgDefinition
from include.extract.ask import known_table
from include.warehouse.engine import open_warehouse
from include.warehouse.tables import Table


def bench_table(warehouse: str, name: str = "Contact") -> Table:
    """Return the table of an object that was loaded."""
    engine = open_warehouse(warehouse)
    table = known_table(engine, OrgDefinition(org="bench", connection="bench", objects=(name,)), name)
    engine.dispose()
    assert table is not None
    return table
