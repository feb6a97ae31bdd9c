"""The file that keeps sign-in state: sessions, grants, refresh tokens and codes outlive the org's process.

SQLite and not the record store: a session is touched by every call, and single updates are what that store is slow at.
Tokens are kept as hashes; whoever reads the file can't sign in with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FILE = "sign-in.sqlite"

_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
    hash TEXT PRIMARY KEY, user_id TEXT, client_id TEXT, scope TEXT, grant_id INTEGER, opened REAL, used REAL);
CREATE TABLE IF NOT EXISTS grants (
    id INTEGER PRIMARY KEY, client_id TEXT, user_id TEXT, scope TEXT, opened REAL, revoked INTEGER);
CREATE TABLE IF NOT EXISTS refresh_tokens (hash TEXT PRIMARY KEY, grant_id INTEGER, spent INTEGER);
CREATE TABLE IF NOT EXISTS codes (
    hash TEXT PRIMARY KEY, client_id TEXT, user_id TEXT, scope TEXT, redirect_uri TEXT, challenge TEXT, method TEXT,
    nonce TEXT, issued REAL, spent INTEGER);
CREATE TABLE IF NOT EXISTS callbacks (uri TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS secret (value BLOB);
"""


def token_hash(token: str) -> str:
    """Return what the store knows of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class TokenStore:
    """Hold the open file; one statement or one transaction at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A lost second of sessions after a power cut is a sign-in more, nothing else.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_TABLES)
        self._lock = threading.RLock()
        if not self.rows("SELECT 1 FROM secret"):
            self.insert("secret", value=secrets.token_bytes(32))
        self._secret: bytes = self.rows("SELECT value FROM secret")[0][0]

    def seal(self, *parts: str) -> str:
        """Return a proof that this org saw these texts together; forms carry it back."""
        said = "\0".join(parts).encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> int:
        """Add a row and return its number."""
        names, marks = ", ".join(values), ", ".join("?" for _ in values)
        with self._lock:
            cursor = self._connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
            )  # fmt: skip
            return cursor.lastrowid or 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Run the statements inside as one: all of them are kept, or none."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
