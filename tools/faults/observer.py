"""Watch the rows while everything goes on: none may ever become older than it was seen, or be gone again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

import psycopg
from psycopg import sql

_EVERY = 0.4


class Observer:
    """Read all Ids and stamps again and again, and compare them with the last reading."""

    def __init__(self, url: str, schema: str, objects: Sequence[str]) -> None:
        self._url, self._schema, self._objects = url, schema, objects
        self._seen: dict[str, dict[str, datetime]] = {name: {} for name in objects}
        self._over = threading.Event()
        self._one = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="observer")
        self._failure: BaseException | None = None
        self.samples = 0
        self.regressed: list[str] = []
        self.doubled: list[str] = []

    def begin(self) -> None:
        """Watch in the background."""
        self._thread.start()

    def end(self) -> None:
        """Watch no more."""
        self._over.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def sample(self, when: str) -> None:
        """Read all rows once; a warehouse that is down shows nothing."""
        with self._one:
            try:
                with psycopg.connect(self._url, connect_timeout=5) as connection:
                    for name in self._objects:
                        self._compare(name, self._rows(connection, name), when)
            except psycopg.OperationalError:
                return
            self.samples += 1

    def _watch(self) -> None:
        try:
            while not self._over.wait(_EVERY):
                self.sample("in mid-run")
        except BaseException as error:
            self._failure = error
            raise

    def _rows(self, connection: psycopg.Connection, name: str) -> list[tuple[str, datetime]]:
        query = sql.SQL('SELECT "Id", "SystemModstamp" FROM {}').format(sql.Identifier(self._schema, name))
        try:
            with connection.transaction():
                return connection.execute(query).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return []

    def _compare(self, name: str, rows: list[tuple[str, datetime]], when: str) -> None:
        seen, now = self._seen[name], dict(rows)
        if len(now) != len(rows):
            self.doubled.append(f"{name}: {len(rows) - len(now)} Ids twice, {when}")
        for key, stamp in seen.items():
            after = now.get(key)
            if after is None:
                self.regressed.append(f"{name} {key} was here and is gone, {when}")
            elif after < stamp:
                self.regressed.append(f"{name} {key} went back from {stamp} to {after}, {when}")
        self._seen[name] = now
