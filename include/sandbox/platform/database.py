"""Keep what a platform holds in SQLite: a request is one transaction, and all of it is there after a restart.

`synchronous` is off: a killed process loses nothing, only a machine that loses power may.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_REQUESTS = """
CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    status INTEGER NOT NULL, bytes INTEGER NOT NULL, records INTEGER NOT NULL, taken INTEGER NOT NULL,
    refused INTEGER NOT NULL);
"""
_COLUMNS = ("id", "at", "method", "path", "status", "bytes", "records", "taken", "refused")


@dataclass(slots=True, kw_only=True)
class Entry:
    """Hold one line of the request log: counts only, nothing of a person; `path` is without ids and query."""

    method: str
    path: str
    status: int = 0
    bytes: int = 0
    records: int = 0
    taken: int = 0
    refused: int = 0


def entry_of(method: str, path: str, size: int) -> Entry:
    """Begin a line of the request log."""
    return Entry(method=method, path=path, bytes=size)


class Database:
    """Be the memory of one platform: the tables it brings, and the log of requests."""

    def __init__(self, file: Path, tables: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;"
        self._db.executescript(pragmas + _REQUESTS + tables)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def run(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement with bound values."""
        return self._db.execute(statement, tuple(values))

    def run_each(self, statement: str, rows: Iterable[Iterable[Any]]) -> None:
        """Run one statement for each row of values."""
        self._db.executemany(statement, [tuple(row) for row in rows])

    def one(self, statement: str, values: Iterable[Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        row: tuple[Any, ...] | None = self.run(statement, values).fetchone()
        return row

    def number(self, statement: str, values: Iterable[Any] = ()) -> int:
        """Return the one number that a statement yields."""
        row = self.one(statement, values)
        return int(row[0] or 0) if row else 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of the block or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def log(self, entry: Entry) -> None:
        """Write a line of the request log."""
        self.run(
            "INSERT INTO requests VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                now_utc().isoformat(), entry.method, entry.path, entry.status, entry.bytes, entry.records,
                entry.taken, entry.refused,
            ),
        )  # fmt: skip

    def requests(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return the request log, the newest first."""
        rows = self.run("SELECT * FROM requests ORDER BY id DESC LIMIT ? OFFSET ?", (limit, offset))
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]

    def requests_by_status(self) -> dict[str, int]:
        """Count the requests by the status of their answer; 0 is none."""
        return {str(status): count for status, count in self.run("SELECT status, count(*) FROM requests GROUP BY 1")}

    def forget(self, *tables: str) -> None:
        """Empty these tables and the log of requests."""
        with self.transaction():
            for table in (*tables, "requests"):
                self.run(f"DELETE FROM {table}")


def now_utc() -> datetime:
    """Return the sandbox's now."""
    return datetime.now(UTC)
