"""Turn what the org sends into the bytes that COPY takes: header apart, NULs out, JSON records as CSV; pure."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from io import StringIO
from typing import Any

# Opens the same CSV from its beginning each time it is called: a load that fails is tried again in another way.
CsvSource = Callable[[], AbstractContextManager[Iterable[bytes]]]

# Stands where bytes were no UTF-8; a code point that no text may hold, so that it marks nothing else.
NOT_UTF8 = "\ufdd0"
codecs.register_error("headwater.not_utf8", lambda error: (NOT_UTF8, error.end))  # type: ignore[attr-defined]


class CsvStream:
    """Read CSV chunk by chunk: its header first, then all of it, header included, without NULs, which are counted."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._begin = b""
        self.nul_removed = 0

    def header(self) -> list[str]:
        """Return the column names; [] when there is not even a header."""
        for chunk in self._chunks:
            self._begin += chunk
            if b"\n" in chunk:
                break
        if not self._begin:
            return []
        line = self._begin.split(b"\n", 1)[0].removeprefix(codecs.BOM_UTF8)
        return next(csv.reader([line.decode("utf-8")]))

    def __iter__(self) -> Iterator[bytes]:
        yield self._clean(self._begin.removeprefix(codecs.BOM_UTF8))
        self._begin = b""
        for chunk in self._chunks:
            yield self._clean(chunk)

    def _clean(self, chunk: bytes) -> bytes:
        nuls = chunk.count(0)
        if not nuls:
            return chunk
        self.nul_removed += nuls
        return chunk.translate(None, b"\0")


def marked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the chunks with `NOT_UTF8` where bytes are no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="headwater.not_utf8")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def csv_source(content: bytes) -> CsvSource:
    """Return a source of CSV that is in memory already."""

    @contextmanager
    def opened() -> Iterator[Iterable[bytes]]:
        yield (content,)

    return opened


def records_csv(records: Iterable[Mapping[str, Any]], columns: Sequence[str], *, header: bool = True) -> bytes:
    """Return REST records as the CSV that Bulk API 2.0 would have sent: the same record loads the same either way.

    Numbers must be int or Decimal to arrive as the org wrote them; a null is an empty field without quotes.
    """
    lines = StringIO()
    if header:
        lines.write(",".join(_quoted(name) for name in columns) + "\n")
    shown = _flat(records) if any("." in name for name in columns) else records
    for record in shown:
        lines.write(",".join(_cell(record.get(name)) for name in columns) + "\n")
    # A lone surrogate is no text: it becomes bytes that are no UTF-8, and the row a reject with its cause.
    return lines.getvalue().encode("utf-8", errors="surrogatepass")


def _flat(records: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the records with the fields of their parents as ``Account.Name``, as Bulk writes them."""
    for record in records:
        yield dict(_leaves(record, ""))


def _leaves(record: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _quoted(json.dumps(value, default=str))


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
