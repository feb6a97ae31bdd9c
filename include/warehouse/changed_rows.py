"""Tell which rows of an object were written since a moment, whoever wrote them, and what they said before.

Each line of a journal bears the number of the transaction that wrote it. A row is news to who looked before, if that
transaction had not ended then. Removed rows are news, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted
from include.warehouse.journals import Journal, journals_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Hold what a transaction sees: all that was written by transactions below `low`, and perhaps some above.

    `journals` has each object's; `places` says of those objects where the rows are, which columns they have and which
    number the journal has: another place is another table, or one of which not every write is known.
    """

    low: int
    journals: Mapping[str, Journal]
    places: Mapping[str, str]


def this_moment(connection: Connection, org: str, schema: str) -> Moment:
    """Return what this transaction sees; it must be one that sees the same from its beginning to its end."""
    low = connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")).scalar_one()
    journals = journals_of(connection, org, schema)
    rows = connection.execute(text(_PLACES), {"schema": schema, "objects": list(journals)})
    places = {
        row.object: f"{row.place}|{journals[row.object].journal_id}:{journals[row.object].number}" for row in rows
    }
    return Moment(low=int(low), journals=journals, places=places)


def keep_changed(connection: Connection, name: str, journal: Journal, *, since: int) -> int:
    """Make a temporary table of the Ids of rows that were written since; return how many there are."""
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT DISTINCT "Id" AS record_id FROM {journal.table}'
        f" WHERE written >= '{since}'::xid8"
    )
    return _analyzed(connection, name)


def keep_compared(
    connection: Connection,
    name: str,
    schema: str,
    object: str,
    journal: Journal,
    *,
    since: int,
    fields: Collection[str],
    alias: str,
    compared: str,
) -> int:
    """Make a temporary table of what changed rows are found by, as it was and as it is; return how many there are.

    Rows that changed in none of the fields that are read, and were neither deleted nor restored, are not among them.

    Args:
        connection: the assessment's.
        name: of the new table.
        schema: where the org's tables are.
        object: whose changed rows.
        journal: the object's.
        since: the moment that changes count from.
        fields: of the object; what they said before is in the journal.
        alias: the name of a row in `compared`.
        compared: the SQL expression that others find a row by.
    """
    row = quoted(alias)
    names = [quoted(each) for each in sorted(fields)]
    before = ", ".join([f"{row}.gone", *(f"{row}.{each}" for each in names)])
    now = ", ".join(['present."_deleted_at" IS NOT NULL', *(f"present.{each}" for each in names)])
    table = quoted(schema, object)
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS WITH moved AS MATERIALIZED ("
        f'SELECT {row}.* FROM {journal.table} AS {row} LEFT JOIN {table} AS present ON present."Id" = {row}."Id"'
        f" WHERE {row}.written >= '{since}'::xid8"
        f' AND ({row}.born OR present."Id" IS NULL OR ROW({before}) IS DISTINCT FROM ROW({now})))'
        f" SELECT {compared} AS compared FROM moved AS {row}"
        f' UNION SELECT {compared} FROM {table} AS {row} WHERE {row}."Id" IN (SELECT "Id" FROM moved)',
        execution_options={"no_parameters": True},
    )
    connection.exec_driver_sql(f"DELETE FROM {name} WHERE compared IS NULL")  # equal to nothing
    return _analyzed(connection, name)


def keep_finding(connection: Connection, name: str, schema: str, object: str, expression: str, compared: str) -> int:
    """Make a temporary table of the live rows whose expression is among what is compared; return how many there are.

    Args:
        connection: the assessment's.
        name: of the new table.
        schema: where the org's tables are.
        object: whose rows.
        expression: SQL over the alias "row".
        compared: the table of what changed rows of another object are found by.
    """
    row = quoted("row")
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {row}."Id" AS record_id'
        f" FROM {quoted(schema, object)} AS {row}"
        f' WHERE {row}."_deleted_at" IS NULL AND {expression} IN (SELECT compared FROM {compared})',
        execution_options={"no_parameters": True},
    )
    return _analyzed(connection, name)


def keep_all(connection: Connection, name: str, tables: Collection[str]) -> int:
    """Make a temporary table of the rows that are in any of these; return how many there are."""
    rows = " UNION ".join(f"SELECT record_id FROM {table}" for table in tables)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {rows}")
    return _analyzed(connection, name)


def _analyzed(connection: Connection, name: str) -> int:
    connection.exec_driver_sql(f"ANALYZE {name}")
    rows: int = connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
    return rows


_PLACES = """
SELECT c.relname AS object,
       concat_ws(':', (SELECT system_identifier FROM pg_control_system()),
                 (SELECT oid FROM pg_database WHERE datname = current_database()), c.oid, pg_relation_filenode(c.oid),
                 (SELECT string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid), ',' ORDER BY a.attnum)
                  FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS place
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = ANY(:objects) AND c.relkind = 'r'"""
