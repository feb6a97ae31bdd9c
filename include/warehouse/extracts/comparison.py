"""Compare the rows of an object with a list of all the org's Ids and stamps, set against set, inside the database.

The list lies in a temporary table of one session; every statement here runs in that session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors
from sqlalchemy import Connection, text

from include.records import Describe
from include.warehouse.engine import quoted
from include.warehouse.loading.load import our_errors
from include.warehouse.loading.steps import checked_header, copy_csv
from include.warehouse.loading.stream import CsvSource, CsvStream
from include.warehouse.tables import Table

_LIST = "headwater_comparison"


class UnfitValue(Exception):
    """Say that the org's list holds a value that its column cannot take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Count how the rows here differ from the org's list.

    `in_org` and `here` count records that are not deleted. `held` counts the org's that are here too, and what is here
    in excess: `in_org` - `held` is what the warehouse lacks at the moment of the list. `missing` and `stale` are to be
    read again, `vanished` are present here and unknown to the org, `purged` are deleted here and gone from the recycle
    bin as well.
    """

    in_org: int
    here: int
    held: int
    missing: int
    stale: int
    vanished: int
    purged: int

    @property
    def wanted(self) -> int:
        """Return how many records must be read again."""
        return self.missing + self.stale


def listed_columns(table: Table, calculated: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the columns that the org's list needs: Id, stamp, deletion, and what changes without a stamp."""
    always = ("Id", table.cursor_field, "IsDeleted")
    return tuple(dict.fromkeys(name for name in (*always, *calculated) if name in table.columns))


def unstamped_columns(table: Table, describe: Describe) -> tuple[str, ...]:
    """Return the columns whose values change without the object's stamp: the list must bring them to be compared.

    They are the calculated ones, and all of them where the stamp tells at most when a record was made. History never
    changes once it is written.
    """
    stamps = ("SystemModstamp", "LastModifiedDate")
    if table.cursor_field in stamps or table.object.endswith(("History", "Feed")):
        found = [field.name for field in describe.fields if field.calculated]
    else:
        found = list(table.columns)
    never = ("Id", "IsDeleted", table.cursor_field)
    return tuple(name for name in found if name in table.columns and name not in never)


def open_list(connection: Connection, table: Table, columns: Sequence[str]) -> None:
    """Make the empty list of this session, in place of one that was there before."""
    described = ", ".join(f"{quoted(name)} {table.columns[name]}" for name in columns)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_LIST}")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {_LIST} ({described})")


def add_to_list(connection: Connection, table: Table, source: CsvSource) -> int:
    """Append a page of the org's list, as CSV with a header, and return how many records it held.

    Raises:
        ServerFault: the page is broken, or has other columns than were asked for.
        UnfitValue: a value does not fit its column; the transaction is lost.
    """
    with our_errors(table):
        try:
            with source() as chunks:
                stream = CsvStream(chunks)
                columns = checked_header(stream, table)
                return copy_csv(connection, _LIST, columns, stream) if columns else 0
        except errors.BadCopyFileFormat:
            raise
        except (psycopg.DataError, psycopg.IntegrityError):  # their text quotes the value
            raise UnfitValue from None


def close_list(connection: Connection) -> int:
    """Index the finished list, so that comparing costs one pass over each side, and return how many Ids it repeats."""
    connection.exec_driver_sql(f'CREATE INDEX ON {_LIST} ("Id")')
    connection.exec_driver_sql(f"ANALYZE {_LIST}")
    twins: int = connection.exec_driver_sql(f'SELECT count(*) - count(DISTINCT "Id") FROM {_LIST}').scalar_one()
    return twins


def step_back(connection: Connection, table: Table) -> list[str]:
    """Give rows that bear a later stamp than the org's list its stamp, and return their Ids: they must be read again.

    To be called by the holder of the object's lock, before anything is read again: only an org whose clock was set
    back, or that was restored, lists a record with an earlier stamp than it once had. A load leaves such a row alone,
    because as a rule the later stamp is the newer state.
    """
    if not table.cursor_field:
        return []
    stamp = quoted(table.cursor_field)
    rows = connection.exec_driver_sql(
        f"UPDATE {table.name} AS t SET {stamp} = s.{stamp} FROM {_LIST} AS s"
        f' WHERE t."Id" = s."Id" AND t.{stamp} > s.{stamp} RETURNING t."Id"'
    )
    return [str(each) for each in rows.scalars()]


def count_differences(connection: Connection, table: Table) -> Differences:
    """Return how the rows here differ from the list."""
    gone, alive = _gone(table), '(t."Id" IS NOT NULL AND t._deleted_at IS NULL)'
    stamp = quoted(table.cursor_field) if table.cursor_field else ""
    newer = f"coalesce(t.{stamp} > s.{stamp}, false)" if stamp else "false"
    row = connection.exec_driver_sql(
        f"""
        SELECT count(*) FILTER (WHERE s."Id" IS NOT NULL AND NOT {gone}) AS in_org,
               count(*) FILTER (WHERE t."Id" IS NOT NULL AND t._deleted_at IS NULL) AS here,
               count(*) FILTER (WHERE CASE WHEN {gone} THEN {alive} AND NOT {newer}
                                           ELSE {alive} OR {newer} END) AS held,
               count(*) FILTER (WHERE t."Id" IS NULL) AS missing,
               count(*) FILTER (WHERE t."Id" IS NOT NULL AND s."Id" IS NOT NULL AND {_stale(table)}) AS stale,
               count(*) FILTER (WHERE s."Id" IS NULL AND t._deleted_at IS NULL) AS vanished,
               count(*) FILTER (WHERE s."Id" IS NULL AND t._deleted_at IS NOT NULL) AS purged
          FROM {_LIST} AS s FULL JOIN {table.name} AS t ON t."Id" = s."Id"
        """
    ).one()
    return Differences(**row._mapping)


def wanted_ids(connection: Connection, table: Table) -> list[str]:
    """Return the Ids of the records that are missing or stale here, in order; ask only when they are few."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT s."Id" FROM {_LIST} AS s LEFT JOIN {table.name} AS t ON t."Id" = s."Id"
         WHERE t."Id" IS NULL OR {_stale(table)} ORDER BY s."Id"
        """
    )
    return [str(each) for each in rows.scalars()]


def mark_vanished(connection: Connection, table: Table, run_id: int) -> int:
    """Mark the rows that the org no longer knows as deleted and return how many; their last values are kept."""
    return connection.execute(
        text(
            f"UPDATE {table.name} AS t SET _deleted_at = now(), _loaded_at = now(), _run_id = :run_id"
            f' WHERE t._deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM {_LIST} AS s WHERE s."Id" = t."Id")'
        ),
        {"run_id": run_id},
    ).rowcount


def refresh_calculated(connection: Connection, table: Table, calculated: Sequence[str], run_id: int) -> int:
    """Bring listed values of calculated fields into rows of the same stamp, and return how many rows differed.

    A row that is newer here than in the list is left alone: its values are newer too.
    """
    names = [name for name in calculated if name in table.columns]
    if not names:
        return 0
    here, listed = (", ".join(f"{alias}.{quoted(name)}" for name in names) for alias in ("t", "s"))
    assignments = ", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in names)
    return connection.execute(
        text(
            f"UPDATE {table.name} AS t SET {assignments}, _loaded_at = now(), _run_id = :run_id FROM {_LIST} AS s"
            f' WHERE t."Id" = s."Id" AND {_same_stamp(table)}'
            f" AND ROW({here}) IS DISTINCT FROM ROW({listed})"
        ),
        {"run_id": run_id},
    ).rowcount


def _gone(table: Table) -> str:
    return 'coalesce(s."IsDeleted", false)' if "IsDeleted" in table.columns else "false"


def _same_stamp(table: Table) -> str:
    stamp = quoted(table.cursor_field) if table.cursor_field else ""
    return f"t.{stamp} IS NOT DISTINCT FROM s.{stamp}" if stamp else "true"


def _stale(table: Table) -> str:
    if not table.cursor_field:
        return f"((t._deleted_at IS NOT NULL) <> {_gone(table)})"
    stamp = quoted(table.cursor_field)
    return (
        f"(t.{stamp} < s.{stamp} OR (t.{stamp} IS NULL AND s.{stamp} IS NOT NULL)"
        f" OR (t.{stamp} IS NOT DISTINCT FROM s.{stamp} AND (t._deleted_at IS NOT NULL) <> {_gone(table)}))"
    )
