"""Read rows of the warehouse as a stream of Arrow batches: COPY on one side, nothing on the disk, never all at once."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Copy, sql
from sqlalchemy import Connection

from include.warehouse.engine import driver


class _CopyFile(io.RawIOBase):
    """Be the file that a reader of CSV wants."""

    def __init__(self, copy: Copy) -> None:
        self._blocks = iter(copy)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextmanager
def text_batches(connection: Connection, query: str, columns: Sequence[str]) -> Iterator[Any]:
    """Yield a reader over a query's rows, every column as text.

    Args:
        connection: an open transaction; it can do nothing else until the reader is through.
        query: a statement without values, its identifiers quoted.
        columns: the names of its columns, in their order.
    """
    import pyarrow
    from pyarrow import csv

    statement = sql.SQL(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER true)")  # of quoted names
    with driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        yield csv.open_csv(
            io.BufferedReader(_CopyFile(copy), 1 << 20),
            read_options=csv.ReadOptions(block_size=4 << 20),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types={name: pyarrow.string() for name in columns},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
