"""Write rows as Parquet with typed columns: through a CSV of our own on disk, so that no more than a batch is held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from include.exports.columns import Batches, Column, Kind, as_text

MEDIA_TYPE = "application/vnd.apache.parquet"
_MEMORY = "256MB"
_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "datetime": "TIMESTAMPTZ",
}


def write_parquet(columns: Sequence[Column], batches: Batches) -> IO[bytes]:
    """Return a Parquet file with the rows, open for reading; it is gone from the disk once it is closed."""
    import duckdb

    with TemporaryDirectory(prefix="headwater-export-") as folder:
        rows, parquet = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with rows.open("w", encoding="utf-8", newline="") as file:
            for batch in batches:
                file.writelines(_line(row) for row in batch)
        with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1, "temp_directory": folder}) as writer:
            named = {f"c{place}": _TYPES[column.kind] for place, column in enumerate(columns)}
            chosen = ", ".join(f"c{place} AS {_name(column)}" for place, column in enumerate(columns))
            writer.execute(
                f"COPY (SELECT {chosen} FROM read_csv(?, columns = ?, header = false, delim = ',', quote = '\"',"
                " escape = '\"', nullstr = '', allow_quoted_nulls = false, new_line = '\\n', auto_detect = false,"
                " max_line_size = 67108864, parallel = false))"
                f" TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)",
                [str(rows), named],
            )
        return parquet.open("rb")


def _line(row: Sequence[Any]) -> str:
    return ",".join(_cell(value) for value in row) + "\n"


def _cell(value: Any) -> str:
    """Return a value in quotes; what is empty has none, so that it differs from a text without letters."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else as_text(value)
    return '"' + text.replace('"', '""') + '"'


def _name(column: Column) -> str:
    return '"' + column.name.replace('"', '""') + '"'
