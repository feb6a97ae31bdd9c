"""What the database could do at best with the same bytes: one COPY into a table without an index, one MERGE."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from include.warehouse.tables import Table

_CHUNK = 1 << 18


def copy_seconds(url: str, columns: sql.Composable, pages: Sequence[Path]) -> float:
    """Return what COPY of the pages takes into a fresh, typed, logged table of these columns; then drop it."""
    names = sql.SQL(", ").join(map(sql.Identifier, _header(pages[0])))
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("CREATE TABLE bench_limit ({})").format(columns))
        connection.commit()
        connection.execute("CHECKPOINT")
        connection.commit()
        began = time.perf_counter()
        statement = sql.SQL("COPY bench_limit ({0}) FROM STDIN (FORMAT csv, FORCE_NULL ({0}))").format(names)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for chunk in _rows(pages):
                copy.write(chunk)
        connection.commit()
        seconds = time.perf_counter() - began
        connection.execute("DROP TABLE bench_limit")
    return seconds


def merge_seconds(url: str, target: sql.Composable, columns: Sequence[str], key: str, staged: str) -> float:
    """Return what the fastest MERGE takes that brings a staged table into the target in one statement; then undo it.

    It tests each row for a change, and keeps nothing else: neither who changed it, nor which of two is newer.
    """
    rest = [name for name in columns if name != key]
    here, there = (sql.SQL(", ").join(sql.Identifier(alias, name) for name in rest) for alias in ("t", "s"))
    statement = sql.SQL(
        "MERGE INTO {target} AS t USING {staged} AS s ON t.{key} = s.{key}"
        " WHEN MATCHED AND ROW({here}) IS DISTINCT FROM ROW({there}) THEN UPDATE SET {changes}"
        " WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
    ).format(
        target=target,
        staged=sql.Identifier(staged),
        key=sql.Identifier(key),
        here=here,
        there=there,
        changes=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in rest),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(sql.Identifier("s", name) for name in columns),
    )
    with psycopg.connect(url) as connection:
        began = time.perf_counter()
        connection.execute(statement)
        connection.commit()
        return time.perf_counter() - began


def same_as(table: Table) -> sql.Composable:
    """Return the columns of a loaded table as they were made: types, defaults and key."""
    return sql.SQL("LIKE {} INCLUDING DEFAULTS, PRIMARY KEY ({})").format(
        sql.Identifier(table.schema, table.object), sql.Identifier(table.key)
    )


def described(columns: dict[str, str]) -> sql.Composable:
    """Return columns with their types, for CREATE TABLE."""
    parts = (sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items())
    return sql.SQL(", ").join(parts)


def page_bytes(pages: Sequence[Path]) -> int:
    """Return how many bytes the pages hold."""
    return sum(page.stat().st_size for page in pages)


def _header(page: Path) -> list[str]:
    with page.open("rb") as file:
        return file.readline().decode().strip().replace('"', "").split(",")


def _rows(pages: Sequence[Path]) -> Iterator[bytes]:
    for page in pages:
        with page.open("rb") as file:
            file.readline()
            while chunk := file.read(_CHUNK):
                yield chunk
