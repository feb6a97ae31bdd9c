"""Find where a window, or a slice of it, is to be cut: in the warehouse's own rows, or by asking the org a little.

What is asked is cheap for an org of any size: the first or last record by an indexed field, and counts of a range of
it. Ids come first. Where the org does not order or compare them, stamps are the second choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.errors import QueryRefused, QueryTooSlow
from include.extract.loading import Loading
from include.extract.queries import reads_deleted, where_of
from include.extract.split import (
    MOST_SLICES,
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
from include.records import Bounds, Window
from include.salesforce.composite import SubResponse, count_in, page_in
from include.salesforce.soql import Scalar, condition, count_where, select_edge
from include.warehouse.engine import transaction
from include.warehouse.extracts.quantiles import id_quantiles
from include.warehouse.tables import Table

_WHOLE = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """Hold by which field a part of an object is cut."""

    object: str
    field: str
    place: Callable[[str], int]
    value: Callable[[int], Scalar]
    where: Sequence[str]

    def edge(self, *, last: bool, side: Sequence[str] = ()) -> str:
        return select_edge(self.object, self.field, where=[*self.where, *side], last=last)

    def side(self, operator: str, place: int) -> str:
        return condition(self.field, operator, self.value(place))


def slice_bounds(loading: Loading, table: Table, window: Window, rows: int) -> list[Bounds]:
    """Return the parts in which a window of about so many rows is read: one that is whole, unless it is large."""
    wanted = slices_wanted(rows, loading.org.slice_rows)
    if wanted == 1 or not can_be_cut(loading, table):
        return [_WHOLE]
    with transaction(loading.engine) as connection:
        known = id_quantiles(connection, table, wanted, at_least=rows // 2)
    if known:
        return by_ids(known, _WHOLE)
    slice_rows = max(loading.org.slice_rows, rows // MOST_SLICES)
    try:
        cuts = _cuts(loading, _id_axis(loading, table, window, _WHOLE), rows, slice_rows)
    except (QueryRefused, ValueError):  # it neither orders nor compares Ids, or they are of another kind
        if not table.cursor_field:
            return [_WHOLE]
        cuts = _cuts(loading, _stamp_axis(loading, table, window, _WHOLE), rows, slice_rows)
        return by_stamps([stamp_at(cut) for cut in cuts], _WHOLE)
    return by_ids([id_at(cut) for cut in cuts], _WHOLE)


def halves(loading: Loading, table: Table, window: Window, bounds: Bounds) -> list[Bounds]:
    """Return the two halves of a part of a window; [] when it cannot be cut. Costs a call."""
    if not can_be_cut(loading, table):
        return []
    if bounds.low is None and bounds.high is None:
        try:
            cut = _middle(loading, _id_axis(loading, table, window, bounds))
        except (QueryRefused, ValueError):
            pass
        else:
            return [] if cut is None else by_ids([id_at(cut)], bounds)
    if not table.cursor_field:
        return []
    cut = _middle(loading, _stamp_axis(loading, table, window, bounds))
    return [] if cut is None else by_stamps([stamp_at(cut)], bounds)


def can_be_cut(loading: Loading, table: Table) -> bool:
    """Return whether conditions can be added: a person's own query is put as it is written."""
    return loading.org.query(table.object) is None


def _id_axis(loading: Loading, table: Table, window: Window, bounds: Bounds) -> _Axis:
    where = where_of(loading.org, table, window, bounds)
    return _Axis(object=table.object, field="Id", place=id_place, value=id_at, where=where)


def _stamp_axis(loading: Loading, table: Table, window: Window, bounds: Bounds) -> _Axis:
    where = where_of(loading.org, table, window, bounds)
    return _Axis(object=table.object, field=table.cursor_field, place=_second, value=stamp_at, where=where)


def _second(stamp: str) -> int:
    return stamp_place(datetime.fromisoformat(stamp))


def _middle(loading: Loading, axis: _Axis) -> int | None:
    span = _whole(loading, axis, rows=0)
    return span.middle if span else None


def _cuts(loading: Loading, axis: _Axis, rows: int, slice_rows: int) -> list[int]:
    """Return the places that cut the rows into slices, by looking into what is too large, again and again.

    Ids may lie in few dense heaps far apart (an org that moved, records that were imported), so that cutting at equal
    distances would leave one slice with everything.
    """
    whole = _whole(loading, axis, rows=rows)
    spans = [whole] if whole else []
    for _ in range(4 * slices_wanted(rows, slice_rows)):
        index = next_to_cut(spans, slice_rows)
        if index is None:
            break
        spans[index : index + 1] = _looked_into(loading, axis, spans[index])
    return cuts_between(spans, slice_rows)


def _whole(loading: Loading, axis: _Axis, *, rows: int) -> Span | None:
    first, last = _ask(loading, axis, [axis.edge(last=False), axis.edge(last=True)])
    at, end = _place(axis, first), _place(axis, last)
    return None if at is None or end is None else Span(first=at, last=max(at, end), rows=rows)


def _looked_into(loading: Loading, axis: _Axis, span: Span) -> list[Span]:
    """Return a span as two, each as long as its records reach; a count that takes too long is taken for a half."""
    middle = span.middle
    assert middle is not None
    from_first, below, from_middle = axis.side(">=", span.first), axis.side("<", middle), axis.side(">=", middle)
    count = count_where(axis.object, [*axis.where, from_first, below])
    questions = [axis.edge(last=True, side=[below]), axis.edge(last=False, side=[from_middle]), count]
    left_end, right_start, counted = _ask(loading, axis, questions)
    try:
        rows = min(count_in(counted), span.rows)
    except QueryTooSlow:
        rows = span.rows // 2
    last, first = _place(axis, left_end), _place(axis, right_start)
    left = Span(first=span.first, last=max(span.first, middle - 1 if last is None else last), rows=rows)
    right = Span(first=min(span.last, middle if first is None else first), last=span.last, rows=span.rows - rows)
    return [left, right]


def _ask(loading: Loading, axis: _Axis, questions: Sequence[str]) -> list[SubResponse]:
    deleted_too = reads_deleted(loading.org, axis.object)
    requests = [
        loading.client.probe_request(soql, f"part{n}", object=axis.object, all_rows=deleted_too)
        for n, soql in enumerate(questions)
    ]
    return loading.client.composite(requests, purpose="extract", object=axis.object)


def _place(axis: _Axis, response: SubResponse) -> int | None:
    """Return the place of the record that came; None when none did, or not in time."""
    try:
        records = page_in(response).records
    except QueryTooSlow:
        return None
    return axis.place(records[0][axis.field]) if records else None
