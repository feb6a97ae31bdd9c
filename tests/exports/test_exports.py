"""Files of rows: what stands in them comes back as it was, and nothing in them runs."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, date, datetime, time
from decimal import Decimal
from xml.etree import ElementTree

import duckdb
import pytest

from include.exports.as_csv import csv_parts
from include.exports.as_parquet import write_parquet
from include.exports.columns import Column, harmless

COLUMNS = (
    Column(name="Id", kind="text"),
    Column(name="visits", kind="integer"),
    Column(name="amount", kind="number"),
    Column(name="active", kind="boolean"),
    Column(name="born", kind="date"),
    Column(name="opens", kind="time"),
    Column(name="seen", kind="datetime"),
)
SEEN = datetime(2026, 3, 1, 10, 0, 4, tzinfo=UTC)
ROWS = [
    ["003", 2**40, Decimal("-12.50"), True, date(1980, 5, 6), time(8, 30), SEEN],
    ['a "quoted", line\r\nbroken ü', None, None, None, None, None, None],
    ["", 0, Decimal("0"), False, date(1700, 1, 1), time(0), datetime(1800, 1, 1, tzinfo=UTC)],
]
ATTACKS = ["=1+1", "+49 30 1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＠SUM(A1)",
           '=HYPERLINK("https://evil.example","x")']  # fmt: skip


def batches(rows=ROWS):
    return [rows[:1], rows[1:]]


def sheets(file) -> dict[str, list[list[str]]]:
    """Return the cells of a workbook by sheet, as text, without a library that could hide something."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(file) as book:
        names = [each.get("name") for each in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{main}sheet")]
        found = {}
        for number, name in enumerate(names, 1):
            content = book.read(f"xl/worksheets/sheet{number}.xml")
            assert b"<f>" not in content  # no formula, whatever the cells say
            rows = ElementTree.fromstring(content).iter(f"{main}row")
            found[name] = [["".join(cell.itertext()) for cell in row] for row in rows]
    return found


@pytest.mark.parametrize("text", ATTACKS)
def test_what_begins_like_a_formula_is_made_harmless(text):
    """For those who open it in a spreadsheet."""
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Anna", "'=1", "a=1", "1+1", " =1"])
def test_other_text_stays_as_it_is(text):
    """Byte by byte."""
    assert harmless(text) == text


def test_csv_says_everything_in_utf_8():
    """Excel needs the mark; numbers, dates and times are written as every program reads them."""
    written = b"".join(csv_parts(COLUMNS, batches()))
    assert written.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))) == [
        ["Id", "visits", "amount", "active", "born", "opens", "seen"],
        ["003", "1099511627776", "-12.50", "true", "1980-05-06", "08:30:00", "2026-03-01T10:00:04Z"],
        ['a "quoted", line\r\nbroken ü', "", "", "", "", "", ""],
        ["", "0", "0", "false", "1700-01-01", "00:00:00", "1800-01-01T00:00:00Z"],
    ]


def test_csv_comes_in_parts():
    """A batch at a time, none before it is asked for."""
    asked = []

    def counted():
        for number in range(3):
            asked.append(number)
            yield [[str(number)]]

    parts = csv_parts(COLUMNS[:1], counted())
    next(parts)
    assert asked == []
    next(parts)
    assert asked == [0]


def test_csv_cells_cannot_run():
    """Nor can what stands in the header."""
    written = b"".join(csv_parts(COLUMNS[:1], [[[each] for each in ATTACKS]])).decode("utf-8-sig")
    cells = [row[0] for row in csv.reader(io.StringIO(written, newline=""))][1:]
    assert cells == [f"'{each}" for each in ATTACKS]


def test_parquet_has_types_and_keeps_text_as_it_is(tmp_path):
    """An empty text differs from none; what could be a formula is data here."""
    with write_parquet(COLUMNS, batches([*ROWS, ["=1+1", *[None] * 6]])) as file:
        path = tmp_path / "rows.parquet"
        path.write_bytes(file.read())
    reader = duckdb.connect()
    types = reader.execute("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(?))", [str(path)])
    assert [each[1] for each in types.fetchall()] == [
        "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIME", "TIMESTAMP WITH TIME ZONE",
    ]  # fmt: skip
    read = reader.execute(
        'SELECT "Id", visits, amount, active, born, opens, epoch_ms(seen) FROM read_parquet(?)', [str(path)]
    ).fetchall()
    assert read == [
        ("003", 2**40, -12.5, True, date(1980, 5, 6), time(8, 30), int(SEEN.timestamp() * 1000)),
        ('a "quoted", line\r\nbroken ü', None, None, None, None, None, None),
        ("", 0, 0.0, False, date(1700, 1, 1), time(0), -5364662400000),
        ("=1+1", None, None, None, None, None, None),
    ]


def test_parquet_without_rows_has_its_columns(tmp_path):
    """A check that nothing fails gives a file, too."""
    with write_parquet(COLUMNS, []) as file:
        (tmp_path / "none.parquet").write_bytes(file.read())
    found = duckdb.connect().execute(
        "SELECT count(*), count(seen) FROM read_parquet(?)", [str(tmp_path / "none.parquet")]
    )
    assert found.fetchall() == [(0, 0)]


class TestWorkbooks:
    """Only where the library is installed."""

    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("xlsxwriter")

    def test_values_keep_their_kinds(self):
        """Days and moments are Excel's; what it cannot hold as a number is text."""
        from include.exports.as_xlsx import write_xlsx

        exact = [["x", 12_345_678_901_234_567, Decimal("1234567890.123456789"), None, None, None, None]]
        with write_xlsx("Findings", COLUMNS, [*batches(), exact]) as file:
            found = sheets(file)["Findings"]
        assert found[0] == ["Id", "visits", "amount", "active", "born", "opens", "seen (UTC)"]
        assert found[1] == ["003", "1099511627776", "-12.50", "1", "29347", "08:30:00", "46082.41671296296"]
        assert re.sub(r"_x000D_|\r", "", found[2][0]) == 'a "quoted", line\nbroken ü'
        assert found[3][1:] == ["0", "0", "0", "1700-01-01", "00:00:00", "1800-01-01T00:00:00Z"]
        assert found[4] == ["x", "12345678901234567", "1234567890.123456789"]

    def test_no_cell_runs(self):
        """Neither as a formula nor as a link."""
        from include.exports.as_xlsx import write_xlsx

        with write_xlsx("Findings", COLUMNS[:1], [[[each] for each in ATTACKS]]) as file:
            cells = [row[0] for row in sheets(file)["Findings"]][1:]
        assert [each[0] for each in cells] == ["'"] * len(ATTACKS)

    def test_a_full_sheet_is_followed_by_another_with_the_same_header(self):
        """At the limit exactly, not one row later."""
        from include.exports.as_xlsx import ROWS_OF_A_SHEET, write_xlsx

        assert ROWS_OF_A_SHEET == 1_048_576
        rows = [[str(number)] for number in range(7)]
        with write_xlsx("Findings", COLUMNS[:1], [rows[:3], rows[3:]], sheet_rows=4) as file:
            assert sheets(file) == {
                "Findings": [["Id"], ["0"], ["1"], ["2"]],
                "Findings 2": [["Id"], ["3"], ["4"], ["5"]],
                "Findings 3": [["Id"], ["6"]],
            }

    def test_a_text_that_no_cell_takes_is_cut_and_says_so(self):
        """Instead of being left out without a word."""
        from include.exports.as_xlsx import LONGEST_CELL, write_xlsx

        with write_xlsx("Findings", COLUMNS[:1], [[["a" * 40_000]]]) as file:
            cell = sheets(file)["Findings"][1][0]
        assert len(cell) == LONGEST_CELL
        assert cell.endswith("… (cut: a cell holds no more)")
