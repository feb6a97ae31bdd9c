"""The failing records of one issue at one assessment: found by Id, a page at a time. Ids only, no person's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# Open at that assessment: found by it or before, and not mended until after it. Read in the order of the ledger's key,
# from an Id on: an issue may have millions of records, and a page of them must not cost more because of it.
_PAGE = """
SELECT page.object, page.record_id, a.assessed_at AS first_seen_at, page.found_by = :assessment_id AS is_new
  FROM (SELECT f.object, f.record_id, f.found_by FROM headwater.finding AS f
         WHERE f.org = :org AND f.check_id = :check_id
           AND f.found_by <= :assessment_id AND (f.mended_by IS NULL OR f.mended_by > :assessment_id) {also}
         ORDER BY f.record_id {direction} LIMIT :limit) AS page
  LEFT JOIN headwater.assessment AS a ON a.assessment_id = page.found_by
 ORDER BY page.record_id
"""
_GREATEST = "z" * 18  # no Id is greater that begins alike


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRecord:
    """Hold the Id of a failing record and when it was seen failing first (None: that assessment is no longer kept)."""

    object: str
    record_id: str
    first_seen_at: datetime | None
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRecords:
    """Hold one page of failing records, and whether there are others before and after it."""

    records: tuple[FailingRecord, ...]
    earlier: bool = False
    later: bool = False


def failing_records(
    engine: Engine,
    org: str,
    check_id: str,
    assessment_id: int,
    *,
    search: str = "",
    only_new: bool = False,
    after: str = "",
    before: str = "",
    limit: int = 50,
) -> FailingRecords:
    """Return the records that failed a check at an assessment, in order of Id.

    Args:
        engine: the warehouse.
        org: whose.
        check_id: which check.
        assessment_id: which assessment.
        search: an Id, or the beginning of one; "" for all.
        only_new: only those that this assessment found first.
        after: the last Id of the page before; "" for the first page.
        before: the first Id of the page after, to go back; it wins over `after`.
        limit: how many a page has.
    """
    bound = {"org": org, "check_id": check_id, "assessment_id": assessment_id, "limit": limit + 1}
    also = []
    if search:
        also.append("AND f.record_id >= :search AND f.record_id <= :greatest AND starts_with(f.record_id, :search)")
        bound |= {"search": search, "greatest": search + _GREATEST}
    if only_new:
        also.append("AND f.found_by = :assessment_id")
    if before:
        also.append("AND f.record_id < :before")
        found = _read(engine, " ".join(also), {**bound, "before": before}, direction="DESC")
        return FailingRecords(records=tuple(found[-limit:]), earlier=len(found) > limit, later=True)
    if after:
        also.append("AND f.record_id > :after")
    found = _read(engine, " ".join(also), {**bound, "after": after})
    return FailingRecords(records=tuple(found[:limit]), earlier=bool(after), later=len(found) > limit)


def _read(engine: Engine, also: str, bound: Mapping[str, Any], *, direction: str = "ASC") -> list[FailingRecord]:
    statement = _PAGE.format(also=also, direction=direction)
    with transaction(engine) as connection:
        return [FailingRecord(**row) for row in connection.execute(text(statement), bound).mappings()]
