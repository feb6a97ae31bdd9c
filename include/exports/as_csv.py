"""Write rows as CSV (RFC 4180, UTF-8 with a mark, because Excel believes in no UTF-8 without one)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from include.exports.columns import Batches, Column, as_text, harmless

MEDIA_TYPE = "text/csv; charset=utf-8"


def csv_parts(columns: Sequence[Column], batches: Batches) -> Iterator[bytes]:
    """Yield a CSV file in parts: the header, then each batch."""
    yield "\ufeff".encode() + _lines([[column.name for column in columns]])
    for batch in batches:
        yield _lines(batch)


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([[_cell(value) for value in row] for row in rows])
    return written.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else as_text(value)
