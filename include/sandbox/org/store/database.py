"""The embedded database: many readers, one writer at a time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.store.tables import LEDGERS, table_sql

_PLACEHOLDER = re.compile(r"\$(\d+)")


class Database:
    """Hold the open DuckDB file; readers get cursors with snapshots of their own."""

    def __init__(self, path: Path, catalogue: Catalogue, *, memory: str = "500MB", threads: int = 2) -> None:
        config: dict[str, Any] = {"memory_limit": memory, "threads": threads}
        self._connection = duckdb.connect(str(path), config=config)
        self._connection.execute(f"SET temp_directory = '{path.parent / 'spill'}'")
        # Rows reach the engine as arrays of text with nulls; guessing types from a sample of them could only go wrong.
        self._connection.execute("SET GLOBAL pandas_analyze_sample = 0")
        self._writing = threading.RLock()
        self._transaction_open = False
        self.highest: dict[str, int] = {}  # the highest number given to a record of each object
        self._local = threading.local()
        self._connection.execute("CREATE TABLE IF NOT EXISTS sandbox_meta (name VARCHAR, value VARCHAR)")
        for statement in LEDGERS:
            self._connection.execute(statement)
        for each in catalogue.objects.values():
            self._connection.execute(table_sql(each))

    def close(self) -> None:
        """Write everything to the file and close it."""
        with self._writing:
            self._connection.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return this thread's own cursor; making one for each statement would cost more than the statement."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._connection.cursor()
            self._local.cursor = cursor
        return cursor

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        return self.cursor().execute(*_bound(sql, values)).fetchall()

    def numbers(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of a query as an array of 64-bit numbers: eight bytes a row."""
        columns = self.cursor().execute(*_bound(sql, values)).fetchnumpy()
        return next(iter(columns.values())).astype("int64")

    def stream(self, sql: str, values: Sequence[Any] = (), size: int = 2048) -> Iterator[list[tuple[Any, ...]]]:
        """Yield rows block by block on a cursor of its own, without holding the whole result."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(*_bound(sql, values))
            while block := cursor.fetchmany(size):
                yield block
        finally:
            cursor.close()

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor inside the one open transaction; it commits at the end or leaves nothing behind.

        One writer at a time: the engine would refuse the second of two that touch one row, and Salesforce waits too.
        Inside an open transaction of the same thread it joins that one, so that several writes can fail as a whole.
        """
        with self._writing:
            cursor = self.cursor()
            if self._transaction_open:
                yield cursor
                return
            cursor.execute("BEGIN")
            self._transaction_open = True
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            else:
                cursor.execute("COMMIT")
            finally:
                self._transaction_open = False

    def forget_superseded(self, catalogue: Catalogue, before: int) -> None:
        """Remove versions of records that nobody could see any more at a time in milliseconds."""
        with self.write() as cursor:
            for name in catalogue.objects:
                cursor.execute(f'DELETE FROM "{name}" WHERE _until < ?', [before])

    def meta(self) -> dict[str, str]:
        """Return what the org remembers about itself."""
        return dict(self.rows("SELECT name, value FROM sandbox_meta"))

    def remember(self, values: dict[str, str]) -> None:
        """Keep facts about the org itself."""
        with self.write() as cursor:
            for name, value in values.items():
                cursor.execute("DELETE FROM sandbox_meta WHERE name = ?", [name])
                cursor.execute("INSERT INTO sandbox_meta VALUES (?, ?)", [name, value])


def _bound(sql: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the statement with only those numbered values that it uses; the engine refuses values without a place."""
    used = sorted({int(each) for each in _PLACEHOLDER.findall(sql)})
    if not used:
        return sql, list(values) if "?" in sql else []
    if len(used) == len(values):
        return sql, list(values)
    places = {old: new for new, old in enumerate(used, start=1)}
    renumbered = _PLACEHOLDER.sub(lambda match: f"${places[int(match.group(1))]}", sql)
    return renumbered, [values[old - 1] for old in used]
