"""Keep the tables that an assessment reads from being made anew under it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import quoted, transaction


def tables_of(engine: Engine, schema: str, objects: Collection[str]) -> tuple[str, ...]:
    """Return which of these objects have a table, by name."""
    with transaction(engine) as connection:
        found = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = :schema AND tablename = ANY(:objects) ORDER BY 1"),
            {"schema": schema, "objects": list(objects)},
        )
        return tuple(found.scalars())


def hold_tables(connection: Connection, schema: str, tables: Collection[str]) -> None:
    """Wait for whoever changes these tables, and let nobody do so until the transaction ends; loads go on.

    To be called before the transaction looks at anything: a table that is emptied, or whose column becomes another
    type, after the transaction began to see and before it read the table, seems to have no row at all.
    """
    if tables:
        listed = ", ".join(quoted(schema, table) for table in sorted(tables))
        connection.exec_driver_sql(f"LOCK TABLE {listed} IN ACCESS SHARE MODE")
