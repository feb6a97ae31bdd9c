"""Decide by which API a window is read."""

from __future__ import annotations

from enum import StrEnum

PAGE_ROWS = 2000  # the most records that one REST page holds


class Plan(StrEnum):
    """Say how a window is read."""

    IDLE = "idle"  # nothing in it
    REST = "rest"  # queryAll, page by page
    BULK = "bulk"  # a Bulk API 2.0 query job


def decide_plan(total: int, *, bulk_above_rows: int) -> Plan:
    """Return how to read a window that holds `total` records."""
    if total == 0:
        return Plan.IDLE
    return Plan.BULK if total > bulk_above_rows else Plan.REST


def page_travels(total: int, plan: Plan) -> bool:
    """Return whether the probe's first page is all there is, so that it is kept and loaded from the warehouse."""
    return plan is Plan.REST and total <= PAGE_ROWS
