"""Make and keep the typed table of an object as its describe says it.

The table is named as the object, its columns as the fields, case kept. Three columns are ours: `_loaded_at`, `_run_id`
and `_deleted_at`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.errors import DefinitionError, SchemaFrozen
from include.fields import cursor_field, fields_to_read
from include.records import Describe, Field
from include.warehouse.brief_lock import brief_lock
from include.warehouse.columns import fits
from include.warehouse.engine import quoted

# Salesforce's word for a type -> PostgreSQL's; whatever isn't named here is text.
_TYPES = {
    "boolean": "boolean",
    "int": "integer",
    "long": "bigint",
    "double": "numeric",
    "currency": "numeric",
    "percent": "numeric",
    "date": "date",
    "datetime": "timestamp with time zone",
    "time": "time without time zone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Name the table of an object and its columns, in the org's order, with their PostgreSQL types."""

    org: str
    schema: str
    object: str
    columns: dict[str, str]
    cursor_field: str  # "": it has no stamp, each run reads all of it
    key: str = "Id"

    @property
    def name(self) -> str:
        """Return the table's name, quoted for SQL."""
        return quoted(self.schema, self.object)


def column_type(field: Field) -> str:
    """Return the PostgreSQL type of a field's column."""
    return _TYPES.get(field.type, "text")


def cursor_field_of(describe: Describe) -> str:
    """Return the field by which the object is read in windows; "" when it has none and is read whole each time.

    Raises:
        DefinitionError: the object cannot be queried.
    """
    if not describe.queryable:
        raise DefinitionError(
            f"the object {describe.object} cannot be queried; take it out of the org's objects", key="objects"
        )
    return cursor_field(describe) or ""


def table_of(org: str, schema: str, describe: Describe) -> Table:
    """Return the table that an object's describe asks for."""
    return Table(
        org=org,
        schema=schema,
        object=describe.object,
        columns={field.name: column_type(field) for field in fields_to_read(describe)},
        cursor_field=cursor_field_of(describe),
        key=next((field.name for field in describe.fields if field.type == "id"), "Id"),
    )


def lock_tables(connection: Connection, schema: str) -> None:
    """Let one transaction at a time follow an org's metadata: two runs may meet the same change at the same moment."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"headwater/describe/{schema}"}
    )


def apply_describe(connection: Connection, table: Table) -> tuple[str, ...]:
    """Create the table or add the columns it lacks; return the columns added to a table that was there before.

    A column whose field is gone is kept.

    Raises:
        SchemaFrozen: a field's type no longer fits its column.
    """
    lock_tables(connection, table.schema)
    found = existing_columns(connection, table)
    if not found:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.schema)}")
        connection.exec_driver_sql(_create(table))
        return ()
    changed = [name for name, kind in table.columns.items() if name in found and not fits(found[name], kind)]
    if changed:
        raise SchemaFrozen(_frozen(table, changed, found))
    added = tuple(name for name in table.columns if name not in found)
    if added:
        columns = ", ".join(f"ADD COLUMN {quoted(name)} {table.columns[name]}" for name in added)
        with brief_lock(connection, table.name):
            connection.exec_driver_sql(f"ALTER TABLE {table.name} {columns}")
    return added


def existing_columns(connection: Connection, table: Table) -> dict[str, str]:
    """Return the columns that the table has now with their types; empty when there is no table."""
    rows = connection.execute(
        text(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
            " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = :schema AND c.relname = :name AND a.attnum > 0 AND NOT a.attisdropped"
        ),
        {"schema": table.schema, "name": table.object},
    )
    return {str(name): str(kind) for name, kind in rows}


def index_cursor(connection: Connection, table: Table) -> None:
    """Index the cursor field; after the first load, where building it was never dearer than keeping it up meanwhile."""
    if not table.cursor_field:
        return
    connection.exec_driver_sql(
        f"CREATE INDEX IF NOT EXISTS {quoted(f'{table.object}_{table.cursor_field}'[:63])}"
        f" ON {table.name} ({quoted(table.cursor_field)})"
    )


def _create(table: Table) -> str:
    columns = [
        f"{quoted(name)} {kind}{' PRIMARY KEY' if name == table.key else ''}" for name, kind in table.columns.items()
    ]
    # A first load is COPYed straight into the table: what COPY does not bring comes from these defaults.
    ours = [
        "_loaded_at timestamptz NOT NULL DEFAULT now()",
        "_run_id bigint DEFAULT nullif(current_setting('headwater.run_id', true), '')::bigint",
        "_deleted_at timestamptz",
    ]
    return f"CREATE TABLE {table.name} ({', '.join(columns + ours)})"


def _frozen(table: Table, changed: list[str], found: dict[str, str]) -> str:
    what = ", ".join(f"{name} ({found[name]} here, {table.columns[name]} in the org now)" for name in changed)
    columns = ", ".join(f"DROP COLUMN {quoted(name)}" for name in changed)
    return (
        f"{table.object}: the type of {what} is another than its column's, and values are never cast silently."
        f" Either change the field back, or run ALTER TABLE {table.name} {columns};"
        " in the warehouse: the next run then reads the field for every record"
    )
