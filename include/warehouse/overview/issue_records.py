"""The failing records of one issue at one assessment: found by Id, a page at a time. Ids only, no person's data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

SORTS = {"id": "f.record_id", "first_seen": "f.found_by"}

# Open at that assessment: found by it or before, and not mended until after it.
_MATCHING = """
  FROM headwater.finding AS f
 WHERE f.org = :org AND f.check_id = :check_id
   AND f.found_by <= :assessment_id AND (f.mended_by IS NULL OR f.mended_by > :assessment_id)
   AND (:search = '' OR position(lower(:search) IN lower(f.record_id)) > 0)
"""

_PAGE = """
SELECT page.object, page.record_id, a.assessed_at AS first_seen_at, page.found_by = :assessment_id AS is_new
  FROM (SELECT f.object, f.record_id, f.found_by {matching} ORDER BY {order} LIMIT :limit OFFSET :offset) AS page
  LEFT JOIN headwater.assessment AS a ON a.assessment_id = page.found_by
 ORDER BY {outer}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRecord:
    """Hold the Id of a failing record and when it was seen failing first (None: that assessment is no longer kept)."""

    object: str
    record_id: str
    first_seen_at: datetime | None
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRecords:
    """Hold one page of failing records and how many match in all."""

    records: tuple[FailingRecord, ...]
    total: int


def findings_after(
    engine: Engine, org: str, check_id: str, assessment_id: int, *, after: str = "", limit: int = 50
) -> list[FailingRecord]:
    """Return the records that failed a check at an assessment, in order of Id, those after the Id `after`.

    Nothing is counted: the issue's `failing` says how many there are.
    """
    statement = _PAGE.format(
        matching=f"{_MATCHING} AND f.record_id > :after", order="f.record_id", outer="page.record_id"
    )
    bound: dict[str, Any] = {"org": org, "check_id": check_id, "assessment_id": assessment_id, "search": ""}
    bound |= {"after": after, "limit": limit, "offset": 0}
    with transaction(engine) as connection:
        return [FailingRecord(**row) for row in connection.execute(text(statement), bound).mappings()]


def failing_records(
    engine: Engine,
    org: str,
    check_id: str,
    assessment_id: int,
    *,
    search: str = "",
    sort: str = "id",
    descending: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> FailingRecords:
    """Return the records that failed a check at an assessment and whose Id contains `search`.

    `sort` is a key of SORTS.
    """
    direction = "DESC" if descending else "ASC"
    order = f"{SORTS[sort]} {direction}, f.record_id"
    statement = _PAGE.format(matching=_MATCHING, order=order, outer=order.replace("f.", "page."))
    bound = {
        "org": org,
        "check_id": check_id,
        "assessment_id": assessment_id,
        "search": search,
        "limit": limit,
        "offset": offset,
    }
    with transaction(engine) as connection:
        total = connection.execute(text("SELECT count(*)" + _MATCHING), bound).scalar_one()
        rows = connection.execute(text(statement), bound).mappings()
        return FailingRecords(records=tuple(FailingRecord(**row) for row in rows), total=total)
