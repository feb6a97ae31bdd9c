"""Tell which rows of an object were written since a moment, whoever wrote them, and what they said before.

Each line of a journal bears the number of the transaction that wrote it. A row is news to who looked before, if that
transaction had not ended then. Removed rows are news, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted
from include.warehouse.health.journals import Journal, journals_of


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Say of which rows news is asked for: those of an object written since, where a field that is read changed.

    Rows that came, went, were deleted or restored are always among them. The journal must keep the fields.
    """

    table: str
    journal: Journal
    since: int
    fields: frozenset[str]

    def rows(self, alias: str) -> str:
        """Return the query for the journal's lines of those rows, under a name that is quoted already."""
        names = [quoted(each) for each in sorted(self.fields)]
        before = ", ".join(f"{alias}.{each}" for each in ["gone", *names])
        now = ", ".join(['present."_deleted_at" IS NOT NULL', *(f"present.{each}" for each in names)])
        return (
            f"SELECT {alias}.* FROM {self.journal.table} AS {alias}"
            f' LEFT JOIN {self.table} AS present ON present."Id" = {alias}."Id"'
            f" WHERE {alias}.written >= '{self.since}'::xid8"
            f' AND ({alias}.born OR present."Id" IS NULL OR ROW({before}) IS DISTINCT FROM ROW({now}))'
        )


def keep_changed(connection: Connection, name: str, journal: Journal, *, since: int) -> int:
    """Make a temporary table of the Ids of all rows that were written since; return how many there are."""
    ids = f'SELECT DISTINCT "Id" AS record_id FROM {journal.table}'
    return _keep(connection, name, f"{ids} WHERE written >= '{since}'::xid8")


def keep_written(connection: Connection, name: str, written: Written) -> int:
    """Make a temporary table of the Ids of rows of which there is news; return how many there are."""
    return _keep(connection, name, f'SELECT DISTINCT "Id" AS record_id FROM ({written.rows("w")}) AS each')


def keep_compared(connection: Connection, name: str, written: Written, *, alias: str, compared: str) -> int:
    """Make a temporary table of what others find rows by of which there is news, as they were and as they are.

    Args:
        connection: the assessment's.
        name: of the new table.
        written: which rows.
        alias: the name of a row in `compared`.
        compared: the SQL expression that others find a row by.

    Returns:
        How many values there are; a missing one is equal to nothing.
    """
    row = quoted(alias)
    return _keep(
        connection,
        name,
        f"WITH moved AS MATERIALIZED ({written.rows(row)}) SELECT compared FROM ("
        f"SELECT {compared} AS compared FROM moved AS {row}"
        f' UNION SELECT {compared} FROM {written.table} AS {row} WHERE {row}."Id" IN (SELECT "Id" FROM moved)'
        ") AS each WHERE compared IS NOT NULL",
    )


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
    return _keep(
        connection,
        name,
        f'SELECT {row}."Id" AS record_id FROM {quoted(schema, object)} AS {row}'
        f' WHERE {row}."_deleted_at" IS NULL AND {expression} IN (SELECT compared FROM {compared})',
    )


def keep_all(connection: Connection, name: str, tables: Collection[str]) -> int:
    """Make a temporary table of the rows that are in any of these; return how many there are."""
    return _keep(connection, name, " UNION ".join(f"SELECT record_id FROM {table}" for table in tables))


def _keep(connection: Connection, name: str, query: str) -> int:
    # As it stands: neither % nor : in it stands for a parameter.
    rows = connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {query}", execution_options={"no_parameters": True}
    ).rowcount
    if rows:
        connection.exec_driver_sql(f"ANALYZE {name}")
    return rows


_PLACES = """
SELECT c.relname AS object,
       concat_ws(':', (SELECT system_identifier FROM pg_control_system()),
                 (SELECT oid FROM pg_database WHERE datname = current_database()), c.oid, pg_relation_filenode(c.oid),
                 (SELECT string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid), ',' ORDER BY a.attnum)
                  FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS place
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = ANY(:objects) AND c.relkind = 'r'"""
