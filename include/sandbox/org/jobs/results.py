"""Result files: written once, served as byte ranges.

Beside the file stands an index of 8 bytes a record with the end of each record, so that a page of any size at any place
is one seek; the result itself is never in memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

Block = list[tuple[bytes, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Hold one page of a result: a byte range of the file behind the header line, and where the next page begins."""

    header: bytes
    path: Path
    start: int
    stop: int
    records: int
    next_record: int | None


def write_result(blocks: Iterable[Block], lines: Path, index: Path, stop: Callable[[], bool]) -> tuple[int, int]:
    """Write rendered records and their index; return how many records and bytes there are."""
    end, records = 0, 0
    with lines.open("wb") as written, index.open("wb") as indexed:
        for block in blocks:
            written.write(b"".join([line for line, _ in block]))
            ends = array("Q")
            for _, size in block:
                end += size
                ends.append(end)
            ends.tofile(indexed)
            records += len(block)
            if stop():
                break
    return records, end


def page_of(lines: Path, index: Path, *, header: bytes, first: int, size: int, records: int) -> Page:
    """Return the page of a result that begins at a record."""
    last = first + max(0, min(size, records - first))
    return Page(
        header=header, path=lines, start=_end_of(index, first), stop=_end_of(index, last), records=last - first,
        next_record=last if last < records else None,
    )  # fmt: skip


def _end_of(path: Path, record: int) -> int:
    """Return the byte at which the first `record` records end."""
    if record == 0:
        return 0
    with path.open("rb") as index:
        index.seek((record - 1) * 8)
        return int.from_bytes(index.read(8), "little")
