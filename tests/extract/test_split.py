"""Where windows are cut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.extract.split import (
    Span,
    by_ids,
    by_stamps,
    cuts_between,
    id_at,
    id_place,
    next_to_cut,
    slices_wanted,
    stamp_at,
    stamp_place,
)
from include.records import Bounds

IDS = st.text("0123456789ABCXYZabcxyz", min_size=15, max_size=15)


@given(IDS, IDS)
def test_places_are_ordered_as_the_org_orders_ids(one: str, other: str) -> None:
    """As their bytes are; and a place leads back to its Id."""
    assert (id_place(one) < id_place(other)) is (one.encode() < other.encode())
    assert id_at(id_place(one)) == one


def test_an_id_of_18_letters_lies_where_its_first_15_do() -> None:
    """The rest is a checksum. The numbers are those of the guide's example for chunks of 250,000."""
    assert id_place("00130000000132GAAQ") == id_place("00130000000132G") == id_place("001300000000000") + 250_000


def test_what_is_no_id_is_refused() -> None:
    """Some tables of Salesforce have keys of another kind; they are cut by stamps."""
    with pytest.raises(ValueError, match="substring not found"):
        id_place("a-b")


def test_a_stamp_leads_back_to_itself() -> None:
    """To the second."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert stamp_at(stamp_place(noon)) == noon


@pytest.mark.parametrize(("rows", "slices"), [(0, 1), (100, 1), (101, 2), (1000, 10), (10**9, 256)])
def test_the_number_of_slices_follows_the_rows_up_to_a_limit(rows: int, slices: int) -> None:
    """An org takes 10,000 jobs a day."""
    assert slices_wanted(rows, 100) == slices


def test_the_largest_span_is_looked_into_first_and_none_that_is_one_place() -> None:
    """Thousands of records may share a second: that cannot be cut by stamps."""
    spans = [Span(first=0, last=9, rows=20), Span(first=10, last=90, rows=50), Span(first=95, last=95, rows=900)]
    assert next_to_cut(spans, 15) == 1
    assert next_to_cut(spans, 50) is None
    assert (spans[0].middle, spans[2].middle) == (5, None)


def test_small_neighbours_stay_together() -> None:
    """A slice costs a job."""
    spans = [Span(first=n * 10, last=n * 10 + 5, rows=rows) for n, rows in enumerate([4, 4, 4, 12, 1, 1])]
    assert cuts_between(spans, 10) == [20, 30, 40]
    assert cuts_between([], 10) == []


@given(st.lists(st.integers(1, 10**6), unique=True, max_size=8), st.integers(0, 10**6))
def test_every_record_lies_in_exactly_one_part(cuts: list[int], place: int) -> None:
    """Also one that comes before the first or after the last that was there when the cuts were found."""
    record = id_at(place)
    parts = by_ids([id_at(cut) for cut in sorted(cuts)], Bounds())
    assert sum(each.id_from <= record and (not each.id_below or record < each.id_below) for each in parts) == 1


def test_parts_of_a_part_stay_within_it() -> None:
    """Halving never widens."""
    whole = Bounds(id_from="a", id_below="z")
    assert by_ids(["m"], whole) == [Bounds(id_from="a", id_below="m"), Bounds(id_from="m", id_below="z")]
    low, cut, high = (datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3))
    whole = Bounds(low=low, high=high)
    assert by_stamps([cut], whole) == [Bounds(low=low, high=cut), Bounds(low=cut, high=high)]
