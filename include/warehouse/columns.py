"""Follow a field whose values need a column of another type, without casting what is there.

Numbers are widened in place: every value stays the number that it is. For anything else the old column is kept under a
marked name, and the field gets a new one.
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from include.errors import SchemaFrozen
from include.warehouse.brief_lock import brief_lock
from include.warehouse.engine import quoted

_WIDER = {"integer": ("bigint", "numeric"), "bigint": ("numeric",)}
_MOST = 63  # characters of a name in PostgreSQL
_IN_A_VIEW = "0A000"  # feature_not_supported: the type of a column that a view uses cannot change


def fits(column: str, needed: str) -> bool:
    """Return whether a column takes every value of the needed type as it is."""
    return column == needed or column in _WIDER.get(needed, ())


def widens(column: str, needed: str) -> bool:
    """Return whether the needed type holds every value of the column as it is."""
    return needed in _WIDER.get(column, ())


def change_column(connection: Connection, table: str, name: str, column: str, needed: str) -> str:
    """Make room for a field's values of another type and return what was done; a new column is left to be added.

    Args:
        connection: an open transaction.
        table: the table's name, quoted.
        name: of the field and its column.
        column: the column's type.
        needed: the type that the field's values need.

    Raises:
        SchemaFrozen: a view of somebody's own keeps the column from being widened.
        TableBusy: somebody reads the table for long.
    """
    if widens(column, needed):
        try:
            with brief_lock(connection, table):
                connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN {quoted(name)} TYPE {needed}")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != _IN_A_VIEW:
                raise
            raise SchemaFrozen(
                f"{name} of {table} cannot become {needed}: a view uses the column. Drop the view and make it again"
                " after the next run"
            ) from error
        return f"its column became {needed}"
    kept = _free_name(connection, table, name, column)
    with brief_lock(connection, table):
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME COLUMN {quoted(name)} TO {quoted(kept)}")
    return f"its values until now are kept in the column {kept}"


def _free_name(connection: Connection, table: str, name: str, column: str) -> str:
    """Return a name that no column has; no field of Salesforce can have it either."""
    taken = set(
        connection.exec_driver_sql(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%(table)s)", {"table": table}
        ).scalars()
    )
    mark = f"__was_{column.split()[0]}"
    number = 1
    while (kept := _marked(name, mark if number == 1 else f"{mark}_{number}")) in taken:
        number += 1
    return kept


def _marked(name: str, mark: str) -> str:
    return f"{name[: _MOST - len(mark)]}{mark}"
