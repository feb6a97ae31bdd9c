"""The records of EntityDefinition and its kin in the store: written anew whenever the catalogue changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from include.sandbox.org.schema.catalogue import Snapshot
from include.sandbox.org.schema.definitions import DEFINITIONS, rows_of
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.tables import FOREVER, table_sql


def write_definitions(cursor: Any, snapshot: Snapshot, shipped_at: datetime) -> None:
    """Write the definitions of a snapshot inside an open transaction."""
    stamps = {name: snapshot.changed.get(name, shipped_at).astimezone(UTC).replace(tzinfo=None)
              for name in snapshot.objects}  # fmt: skip
    rows = rows_of(snapshot.objects, stamps)
    for each in DEFINITIONS:
        cursor.execute(f'DROP TABLE IF EXISTS "{each.name}"')
        cursor.execute(table_sql(each))
        cursor.execute(*_insert(each, rows[each.name]))


def _insert(each: SObject, rows: list[dict[str, Any]]) -> tuple[str, list[Any]]:
    """Return one statement for all rows, bound column by column."""
    names = [column.name for column in each.columns]
    columns = [f'unnest(?::{column.sql_type}[]) AS "{column.name}"' for column in each.columns]
    values = [
        [row.get(column.name, False if column.type == "boolean" else None) for row in rows] for column in each.columns
    ]
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f'INSERT INTO "{each.name}" (_n, _from, _until, _defects, {listed})'
        f" SELECT row_number() OVER (), 0, {FOREVER}, 0, {listed} FROM (SELECT {', '.join(columns)})",
        values,
    )
