"""The newest sync errors for their page: filtered, sorted and counted among as many as a page can look through.

A platform that refuses everybody leaves a million errors. Looking through all of them for one page costs seconds; to
look through the newest ten thousand, and to say so and how to narrow them, costs none.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, text

from include.record_ids import whole_id
from include.warehouse.engine import transaction
from include.warehouse.overview.errors import COLUMNS, SORTS, ErrorFilter, SyncError, SyncErrors, matching

MOST_LOOKED_THROUGH = 10_000

# The pushes that have errors, found by jumping through their index.
_PUSHES = """
WITH RECURSIVE pushes (push) AS (
    SELECT min(push) FROM headwater.sync_error WHERE org = :org
    UNION ALL
    SELECT (SELECT min(e.push) FROM headwater.sync_error AS e WHERE e.org = :org AND e.push > p.push)
      FROM pushes AS p WHERE p.push IS NOT NULL)
SELECT p.push, (SELECT e.platform FROM headwater.sync_error AS e WHERE e.org = :org AND e.push = p.push
                 ORDER BY e.error_id DESC LIMIT 1) AS platform
  FROM pushes AS p WHERE p.push IS NOT NULL ORDER BY p.push
"""
_OF_RECORD = "SELECT * FROM headwater.sync_error WHERE org = :org AND push = ANY(:pushes) AND record_id = :record"
_OF_PUSHES = """
SELECT e.* FROM unnest(CAST(:pushes AS text[])) AS chosen (push)
 CROSS JOIN LATERAL (SELECT * FROM headwater.sync_error AS s WHERE s.org = :org AND s.push = chosen.push
                      ORDER BY s.error_id DESC LIMIT :most) AS e
"""
_OPEN = """
SELECT * FROM headwater.sync_error WHERE org = :org AND settled_at IS NULL
 ORDER BY last_at DESC, error_id DESC LIMIT :most
"""
_ANY = "SELECT * FROM headwater.sync_error WHERE org = :org ORDER BY error_id DESC LIMIT :most"


def newest_errors(
    engine: Engine,
    org: str,
    wanted: ErrorFilter,
    *,
    sort: str,
    descending: bool,
    limit: int,
    offset: int,
    most: int = MOST_LOOKED_THROUGH,
) -> SyncErrors:
    """Return a page of the newest errors of an org that match; `cut` says that there are more than were looked through.

    An Id of 15 or 18 characters is found among all of them, and a chosen push has its newest errors looked through.
    """
    order = f"{SORTS.get(sort, 'e.last_at')} {'DESC' if descending else 'ASC'} NULLS LAST, e.error_id DESC"
    with transaction(engine) as connection:
        pushes = connection.execute(text(_PUSHES), {"org": org}).all()
        near, bound = _near(wanted, org, [(each.push, each.platform) for each in pushes], most)
        window = f"WITH near AS MATERIALIZED ({near})"
        head = _head(connection, window, matching(wanted), bound)
        rows = connection.execute(
            text(
                f"{window} SELECT {COLUMNS} FROM near AS e WHERE {matching(wanted)}"
                f" ORDER BY {order} LIMIT :limit OFFSET :offset"
            ),
            {**bound, "limit": limit, "offset": offset},
        ).mappings()
        return SyncErrors(
            errors=tuple(SyncError(**row) for row in rows),
            total=head.total,
            last=head.last,
            pushes=tuple(each.push for each in pushes),
            platforms=tuple(sorted({each.platform for each in pushes})),
            causes=tuple(head.causes or ()),
            cut=head.looked >= most,
        )


def _near(wanted: ErrorFilter, org: str, pushes: list[tuple[str, str]], most: int) -> tuple[str, dict[str, Any]]:
    """Return the statement of the errors to look through, and what it binds."""
    bound: dict[str, Any] = {**wanted.bound(org), "most": most}
    chosen = [push for push, platform in pushes if wanted.push in ("", push) and wanted.platform in ("", platform)]
    record = whole_id(wanted.search)
    if record:
        return _OF_RECORD, {**bound, "search": record, "record": record, "pushes": chosen}
    if wanted.push or wanted.platform:
        return _OF_PUSHES, {**bound, "pushes": chosen}
    return (_OPEN if wanted.shown == "open" else _ANY), bound


def _head(connection: Connection, window: str, condition: str, bound: dict[str, Any]) -> Any:
    return connection.execute(
        text(
            f"{window} SELECT count(*) AS looked, count(*) FILTER (WHERE {condition}) AS total,"
            f" coalesce(max(e.error_id) FILTER (WHERE {condition}), 0) AS last,"
            " array_agg(DISTINCT e.cause ORDER BY e.cause) AS causes FROM near AS e"
        ),
        bound,
    ).one()
