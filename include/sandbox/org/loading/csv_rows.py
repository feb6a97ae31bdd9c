"""Strict CSV as the Bulk APIs want it: read row by row, refused as a whole when any row of it can't be read."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from include.sandbox.org.jobs.formats import BadBatch

_LONGEST_HEADER = 32_000
_SIZE = 1 << 20


def checked_csv(path: Path, delimiter: str, ending: str | None) -> tuple[list[str], int]:
    """Return the header and the number of rows behind it, or raise BadBatch."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            if ending is not None:
                _check_ending(lines, ending)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            header = next(reader, None)
            if not header:
                raise BadBatch("InvalidBatch : Records not found")
            if any('"' in name for name in header):
                raise BadBatch(f"InvalidBatch : Failed to parse CSV. {_QUOTE}")
            if sum(map(len, header)) > _LONGEST_HEADER:
                raise BadBatch("InvalidBatch : Failed to parse CSV. The header row is too long")
            return header, _counted(reader, len(header))
    except UnicodeDecodeError as error:
        raise BadBatch("ClientInputError : Data is not valid UTF-8") from error
    except csv.Error as error:
        raise BadBatch(f"InvalidBatch : Failed to parse CSV. {_told(error)}") from error


def read_csv(path: Path, delimiter: str) -> Iterator[list[str]]:
    """Yield the rows behind the header of a checked file; blank lines are no rows."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        next(reader)
        yield from (row for row in reader if row)


def csv_line(cells: list[str], delimiter: str, ending: str) -> str:
    """Return a line with every cell in quotes."""
    return '"' + f'"{delimiter}"'.join(cell.replace('"', '""') for cell in cells) + '"' + ending


_QUOTE = "Found unescaped quote. A value with quote should be within a quote"


def _counted(reader: Iterator[list[str]], width: int) -> int:
    rows = 0
    for row in reader:
        if not row:
            continue
        rows += 1
        if len(row) > width:
            raise BadBatch(f"InvalidBatch : Failed to parse CSV. Row {rows} has more columns than the header")
    return rows


def _check_ending(lines: IO[str], ending: str) -> None:
    """Refuse a header that doesn't end as the job says all lines do."""
    first = lines.readline(_SIZE)
    lines.seek(0)
    if first.endswith("\n") and first.endswith("\r\n") is not (ending == "CRLF"):
        message = f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {ending}"
        raise BadBatch(message)


def _told(error: csv.Error) -> str:
    text = str(error)
    if "expected after" in text:
        return _QUOTE
    if "unexpected end" in text:
        return "EOF reached before closing an opened quote"
    return text[:1].upper() + text[1:]
