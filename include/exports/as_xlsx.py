"""Write rows as an Excel workbook: row by row to disk, and a further sheet where one is full."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from include.exports.columns import Batches, Column, as_text, harmless

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_OF_A_SHEET = 1_048_576  # its header among them
LONGEST_CELL = 32_767
_CUT = "… (cut: a cell holds no more)"
_FIRST_YEAR = 1900  # Excel counts days from there
_DIGITS = 15  # that Excel keeps of a number


def can_write_xlsx() -> bool:
    """Return whether the library that writes workbooks is installed."""
    return importlib.util.find_spec("xlsxwriter") is not None


def write_xlsx(
    title: str, columns: Sequence[Column], batches: Batches, *, sheet_rows: int = ROWS_OF_A_SHEET
) -> IO[bytes]:
    """Return a workbook with the rows, open for reading; it is gone from the disk once it is closed.

    Args:
        title: of the sheets; further ones are numbered.
        columns: of each sheet.
        batches: the rows.
        sheet_rows: how many rows a sheet takes, the header among them.
    """
    from xlsxwriter import Workbook

    with ExitStack() as open_until_whole:
        file = open_until_whole.enter_context(TemporaryFile(prefix="headwater-export-"))
        # Without shared strings and with each row written away at once, a million rows take no more memory than one.
        with Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
            sheets = _Sheets(book, title, columns, sheet_rows)
            for batch in batches:
                for row in batch:
                    sheets.add(row)
        open_until_whole.pop_all()
        file.seek(0)
        return file


class _Sheets:
    """Hold the sheet that is being filled."""

    def __init__(self, book: Any, title: str, columns: Sequence[Column], most: int) -> None:
        self._book, self._title, self._columns, self._most = book, title, columns, most
        self._head = book.add_format({"bold": True})
        formats = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm:ss"}
        self._formats = {kind: book.add_format({"num_format": shape}) for kind, shape in formats.items()}
        self._count = 0
        self._open()

    def add(self, row: Sequence[Any]) -> None:
        if self._row == self._most:
            self._open()
        for place, value in enumerate(row):
            if value is not None:
                self._write(place, value)
        self._row += 1

    def _open(self) -> None:
        self._count += 1
        self._sheet = self._book.add_worksheet(self._title if self._count == 1 else f"{self._title} {self._count}")
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._columns) - 1, 20)
        for place, column in enumerate(self._columns):
            name = f"{column.name} (UTC)" if column.kind == "datetime" else column.name
            self._sheet.write_string(0, place, name, self._head)
        self._row = 1

    def _write(self, place: int, value: Any) -> None:
        cell = (self._row, place)
        if isinstance(value, bool):
            self._sheet.write_boolean(*cell, value)
        elif isinstance(value, datetime) and value.year >= _FIRST_YEAR:
            self._sheet.write_datetime(*cell, value.astimezone(UTC).replace(tzinfo=None), self._formats["datetime"])
        elif isinstance(value, date) and not isinstance(value, datetime) and value.year >= _FIRST_YEAR:
            self._sheet.write_datetime(*cell, value, self._formats["date"])
        elif isinstance(value, (int, float, Decimal)) and _is_exact(value):
            self._sheet.write_number(*cell, value)
        else:
            self._sheet.write_string(*cell, _fitting(harmless(value) if isinstance(value, str) else as_text(value)))


def _is_exact(value: int | float | Decimal) -> bool:
    """Return whether Excel keeps a number as it is; another one is written as text."""
    number = Decimal(str(value))
    return number.is_finite() and len(number.normalize().as_tuple().digits) <= _DIGITS


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(_CUT)] + _CUT
