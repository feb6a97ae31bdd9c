"""Tell which rows of an object's table were written since a moment, whoever wrote them.

PostgreSQL itself marks each version of a row with the transaction that wrote it. A row is news to who looked before,
if that transaction had not ended then. So no load, comparison, filling of fields or marking as deleted can be missed,
and nobody has to keep a list. Only a row that is removed leaves no mark: Headwater removes none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted

# Transactions are told apart by 32 bits; half of that is far from any confusion.
_TOO_LONG_AGO = 2**31
_BITS = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Hold what a transaction sees: all that was written by transactions below `low`, and nothing from `high` on.

    `places` says by object where its rows are and which columns they have; another place is another table.
    """

    low: int
    high: int
    places: Mapping[str, str]

    def reaches(self, low: int) -> bool:
        """Return whether rows that were written since another moment's `low` can be told."""
        return low <= self.low and self.high - low < _TOO_LONG_AGO


def this_moment(connection: Connection, schema: str) -> Moment:
    """Return what this transaction sees; it must be one that sees the same from its beginning to its end."""
    low, high = connection.execute(
        text(
            "SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint"
            " FROM pg_current_snapshot() AS now"
        )
    ).one()
    places = connection.execute(text(_PLACES), {"schema": schema})
    return Moment(low=low, high=high, places={row.object: row.place for row in places})


def keep_changed(connection: Connection, name: str, schema: str, object: str, *, since: int, moment: Moment) -> int:
    """Make a temporary table of the Ids of rows that were written since; return how many there are."""
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT "Id" AS record_id FROM {quoted(schema, object)}'
        f" WHERE (xmin::text::bigint - {since}) & {_BITS} < {moment.high - since}"
    )
    return _analyzed(connection, name)


def keep_pointing(
    connection: Connection, name: str, schema: str, object: str, changed: str, pointed: Collection[tuple[str, str]]
) -> int:
    """Make a temporary table of the changed rows and of those that point at changed rows; return how many there are.

    Args:
        connection: the assessment's.
        name: of the new table.
        schema: where the org's tables are.
        object: whose rows.
        changed: the table of its own changed rows.
        pointed: fields of the object, each with the table of changed rows of what it points at; one may point at two.
    """
    points = " OR ".join(f"{quoted(field)} IN (SELECT record_id FROM {table})" for field, table in sorted(pointed))
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT record_id FROM {changed}"
        f' UNION SELECT "Id" FROM {quoted(schema, object)} WHERE {points}'
    )
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
WHERE n.nspname = :schema AND c.relkind = 'r'"""
