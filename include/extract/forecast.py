"""Say what an object's first load will take: rows, calls and time; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from include.extract.split import slices_wanted

REST, BULK = "rest", "bulk"
# Rows that an answer brings: a page of a query, a page of a Bulk result.
_ROWS_OF_PAGE = {REST: 2_000, BULK: 250_000}
# Values a second that an org sends, until loads of this warehouse tell: cautious.
ASSUMED_VALUES = {REST: 20_000.0, BULK: 150_000.0}
# What a Bulk job takes whatever its size: to make it, to wait for it, to ask how far it is. A window has one for each
# slice, but they run side by side.
_JOB_CALLS, _JOB_SECONDS = 4, 15.0
_SECONDS_OF_POLL = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Say what an object's first load will take; `rows` None: the org doesn't count this object."""

    object: str
    rows: int | None
    fields: int
    plan: str
    calls: int
    seconds: float
    measured: bool  # by earlier loads of this warehouse

    @property
    def takes(self) -> timedelta:
        """Return the seconds as a span of time."""
        return timedelta(seconds=self.seconds)

    def in_words(self) -> str:
        """Return the forecast as one line of a log."""
        rows = "an unknown number of rows" if self.rows is None else f"about {self.rows:,} rows"
        return (
            f"{self.object}: {rows} of {self.fields} fields by {self.plan}, about {self.calls:,} calls and"
            f" {self.seconds / 60:,.1f} minutes"
        )


def forecast_load(
    object: str,
    rows: int | None,
    fields: int,
    *,
    bulk_above_rows: int,
    slice_rows: int,
    measured: Mapping[str, float],
) -> Forecast:
    """Return the forecast of one object.

    Args:
        object: API name.
        rows: how many the org counts, about.
        fields: how many are read of each.
        bulk_above_rows: as the org's definition says.
        slice_rows: the same.
        measured: values a second of earlier loads, by plan; empty: none were large enough to tell.
    """
    count = rows or 0
    plan = BULK if count > bulk_above_rows else REST
    pages = max(1, -(-count // _ROWS_OF_PAGE[plan]))
    seconds = count * fields / (measured.get(plan) or ASSUMED_VALUES[plan])
    calls = pages
    if plan == BULK:
        seconds += _JOB_SECONDS
        slices = slices_wanted(count, slice_rows)
        # A call finds where to cut; halves of what is too large come in powers of two.
        calls += _JOB_CALLS * slices + int(seconds / _SECONDS_OF_POLL) + (2 * slices if slices > 1 else 0)
    return Forecast(
        object=object,
        rows=rows,
        fields=fields,
        plan=plan,
        calls=calls,
        seconds=seconds,
        measured=bool(measured.get(plan)),
    )
