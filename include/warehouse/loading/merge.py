"""Write the one statement that brings staged rows into an object's table; pure.

Two statements do the same: MERGE with RETURNING where the server has it (17 on; twice as fast on a full re-read), and
INSERT … ON CONFLICT for servers from 15 on. Both leave a row alone that is newer here, or the same in every column.
"""

from __future__ import annotations

from collections.abc import Sequence

from include.warehouse.engine import quoted
from include.warehouse.tables import Table

STAGING = "headwater_staging"
MERGE_RETURNS_FROM = 170_000


def merge_statement(table: Table, columns: Sequence[str], server_version: int) -> str:
    """Return the statement for this server; it returns inserted, updated and deleted counts.

    It takes `run_id`, and `lowest` and `highest` of the staged keys: a page of a large load holds a range of Ids, and
    no more than that range of the table is then looked at. Without it, each page would read the whole table.
    """
    return _merge(table, columns) if server_version >= MERGE_RETURNS_FROM else _upsert(table, columns)


def _merge(table: Table, columns: Sequence[str]) -> str:
    return f"""
        WITH touched AS (
            MERGE INTO {table.name} AS t USING {STAGING} AS s
                ON t.{quoted(table.key)} = s.{quoted(table.key)}
                AND t.{quoted(table.key)} BETWEEN %(lowest)s AND %(highest)s
            WHEN MATCHED AND {_is_news(table, columns, "s")} THEN UPDATE SET {_assignments(table, columns, "s")}
            WHEN NOT MATCHED THEN INSERT ({_names(columns)}, _run_id, _deleted_at)
                VALUES ({_names(columns, "s")}, %(run_id)s, {_born_deleted(columns, "s")})
            RETURNING merge_action() = 'INSERT' AS inserted, {_deleted(columns, "t")} AS deleted
        )
        {_COUNT}"""


def _upsert(table: Table, columns: Sequence[str]) -> str:
    return f"""
        WITH touched AS (
            INSERT INTO {table.name} AS t ({_names(columns)}, _run_id, _deleted_at)
            SELECT {_names(columns, "s")}, %(run_id)s, {_born_deleted(columns, "s")} FROM {STAGING} AS s
            ON CONFLICT ({quoted(table.key)}) DO UPDATE SET {_assignments(table, columns, "excluded")}
            WHERE {_is_news(table, columns, "excluded")}
            RETURNING t.xmax = 0 AS inserted, {_deleted(columns, "t")} AS deleted
        )
        {_COUNT}"""


_COUNT = """SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted),
            count(*) FILTER (WHERE deleted) FROM touched"""


def staged_keys_statement(table: Table) -> str:
    """Return the statement that finds the lowest and highest staged key, and whether one is there more than once."""
    key = quoted(table.key)
    return f"""
        SELECT min(key), max(key), coalesce(bool_or(times > 1 AND key IS NOT NULL), false)
        FROM (SELECT {key} AS key, count(*) AS times FROM {STAGING} GROUP BY {key}) AS keys"""


def drop_older_twins_statement(table: Table) -> str:
    """Return the statement that keeps the newest of several staged rows with one Id."""
    stamp, key = quoted(table.cursor_field), quoted(table.key)
    return f"""
        DELETE FROM {STAGING} AS a USING {STAGING} AS b
        WHERE a.{key} = b.{key} AND a.ctid <> b.ctid AND (
            b.{stamp} > a.{stamp} OR (a.{stamp} IS NULL AND b.{stamp} IS NOT NULL)
            OR (a.{stamp} IS NOT DISTINCT FROM b.{stamp} AND b.ctid > a.ctid))"""


def _is_news(table: Table, columns: Sequence[str], source: str) -> str:
    if table.cursor_field in columns:
        stamp = quoted(table.cursor_field)
        not_older = f"(t.{stamp} IS NULL OR {source}.{stamp} >= t.{stamp})"
    else:
        not_older = "true"
    compared = [name for name in columns if name != table.key]
    differs = f"ROW({_names(compared, 't')}) IS DISTINCT FROM ROW({_names(compared, source)})"
    # A row that was marked as gone and comes again is there again, though its values and stamp are the same.
    gone = f'coalesce({source}."IsDeleted", false)' if "IsDeleted" in columns else "false"
    return f"{not_older} AND ({differs} OR (t._deleted_at IS NOT NULL) <> {gone})"


def _assignments(table: Table, columns: Sequence[str], source: str) -> str:
    values = [f"{quoted(name)} = {source}.{quoted(name)}" for name in columns if name != table.key]
    gone = (
        f'CASE WHEN {source}."IsDeleted" THEN coalesce(t._deleted_at, now()) END' if "IsDeleted" in columns else "NULL"
    )
    return ", ".join([*values, "_loaded_at = now()", "_run_id = %(run_id)s", f"_deleted_at = {gone}"])


def _born_deleted(columns: Sequence[str], source: str) -> str:
    return f'CASE WHEN {source}."IsDeleted" THEN now() END' if "IsDeleted" in columns else "NULL"


def _deleted(columns: Sequence[str], alias: str) -> str:
    return f'coalesce({alias}."IsDeleted", false)' if "IsDeleted" in columns else "false"


def _names(columns: Sequence[str], alias: str = "") -> str:
    return ", ".join(f"{alias}.{quoted(name)}" if alias else quoted(name) for name in columns)
