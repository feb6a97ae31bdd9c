"""Decide where a large window is cut into slices, and where a slice that is too slow is cut in two; pure.

A place on the axis is a whole number: the value of an Id in base 62, or the second of a stamp.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from include.records import Bounds

MOST_SLICES = 256
# A slice is halved so often at most, to a 128th of it: what is too slow even then has another reason than its size.
MOST_HALVINGS = 7

# In this order the org compares Ids: that of ASCII, whatever the collation of a database.
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_DIGITS = 15  # the last three of 18 are a checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Hold a stretch of the axis that begins and ends with a record, and about how many there are in it."""

    first: int
    last: int
    rows: int

    @property
    def middle(self) -> int | None:
        """Return where it can be cut: above its first place; None when all of it lies in one."""
        return (self.first + self.last + 1) // 2 if self.last > self.first else None


def id_place(record_id: str) -> int:
    """Return the place of an Id.

    Raises:
        ValueError: it is no Id.
    """
    place = 0
    for digit in record_id[:_ID_DIGITS]:
        place = 62 * place + _DIGITS.index(digit)
    return place


def id_at(place: int) -> str:
    """Return the Id, of 15 letters, at a place."""
    digits = []
    for _ in range(_ID_DIGITS):
        place, digit = divmod(place, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def stamp_place(stamp: datetime) -> int:
    """Return the place of a stamp: its second."""
    return int(stamp.timestamp())


def stamp_at(place: int) -> datetime:
    """Return the stamp at a place."""
    return datetime.fromtimestamp(place, UTC)


def slices_wanted(rows: int, slice_rows: int) -> int:
    """Return in how many slices so many rows are read."""
    return max(1, min(MOST_SLICES, -(-rows // slice_rows)))


def next_to_cut(spans: Sequence[Span], slice_rows: int) -> int | None:
    """Return which span has to be looked into next, the largest; None when all are small enough."""
    large = [n for n, span in enumerate(spans) if span.rows > slice_rows and span.middle is not None]
    return max(large, key=lambda n: spans[n].rows, default=None)


def cuts_between(spans: Sequence[Span], slice_rows: int) -> list[int]:
    """Return where slices of at most about `slice_rows` begin, but for the first: small neighbours stay together."""
    cuts: list[int] = []
    rows = 0
    for span in spans:
        if rows and rows + span.rows > slice_rows:
            cuts.append(span.first)
            rows = 0
        rows += span.rows
    return cuts


def by_ids(cuts: Sequence[str], whole: Bounds) -> list[Bounds]:
    """Return the parts between these Ids. They leave no gap, and the outer ones are as open as the whole."""
    edges = [whole.id_from, *cuts, whole.id_below]
    return [Bounds(id_from=low, id_below=high, low=whole.low, high=whole.high) for low, high in pairwise(edges)]


def by_stamps(cuts: Sequence[datetime], whole: Bounds) -> list[Bounds]:
    """Return the parts between these stamps, as `by_ids`."""
    edges = [whole.low, *cuts, whole.high]
    return [Bounds(id_from=whole.id_from, id_below=whole.id_below, low=low, high=high) for low, high in pairwise(edges)]
