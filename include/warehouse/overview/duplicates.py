"""List the clusters of an org's duplicates, page by page, by indexes alone: there may be a million of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction

Order = Literal["largest", "newest"]
COUNTED_TO = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLine:
    """Hold one cluster as the list shows it; `best` is the surest of its pairs, `weakest` what holds it together."""

    cluster_id: int
    members: int
    best: float | None
    weakest: float
    rules: tuple[str, ...]
    made_at: datetime
    changed_at: datetime
    first_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateObject:
    """Hold when an object was last compared and what came of it."""

    object: str
    matched_at: datetime | None
    seconds: float | None
    whole: bool
    skipped: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPage:
    """Hold a page of the list; `after` leads to the next page, "" on the last."""

    lines: tuple[ClusterLine, ...]
    counted: int  # at most one more than COUNTED_TO
    after: str


_OBJECTS = """
SELECT s.object, p.at, p.seconds, p.whole, p.skipped FROM headwater.match_set AS s
  LEFT JOIN LATERAL (SELECT at, seconds, whole, skipped FROM headwater.duplicate_pass
                      WHERE org = s.org AND object = s.object ORDER BY pass_id DESC LIMIT 1) AS p ON true
 WHERE s.org = :org AND strpos(s.object, '>') = 0 ORDER BY s.object
"""
_OPEN = "SELECT cluster_id, members, score, made_at, changed_at FROM headwater.duplicate_cluster"
_OF = "org = :org AND object = :object AND ended_at IS NULL"
_LARGEST = f"{_OPEN} WHERE {_OF} ORDER BY members DESC, cluster_id LIMIT :limit"
# Two stretches of one index: those as large that come after, then the smaller ones.
_LARGEST_AFTER = f"""
SELECT * FROM (
({_OPEN} WHERE {_OF} AND members = :members AND cluster_id > :cluster_id ORDER BY cluster_id LIMIT :limit)
 UNION ALL
({_OPEN} WHERE {_OF} AND members < :members ORDER BY members DESC, cluster_id LIMIT :limit)) AS following
 ORDER BY members DESC, cluster_id LIMIT :limit
"""
_NEWEST = f"{_OPEN} WHERE {_OF} AND cluster_id < :cluster_id ORDER BY cluster_id DESC LIMIT :limit"
# A cluster stands where the first of its pairs by the rule stands.
_BY_RULE = """
SELECT c.cluster_id, c.members, c.score, c.made_at, c.changed_at, p.left_id
  FROM (SELECT DISTINCT left_id FROM headwater.duplicate_pair
         WHERE org = :org AND object = :object AND rule = :rule AND left_id > :left_id ORDER BY left_id) AS p
  JOIN headwater.duplicate_member AS m ON m.org = :org AND m.object = :object AND m.record_id = p.left_id
                                      AND m.record_id > :left_id
  JOIN headwater.duplicate_cluster AS c ON c.cluster_id = m.cluster_id
 WHERE NOT EXISTS (
       SELECT FROM headwater.duplicate_member AS other
         JOIN headwater.duplicate_pair AS q ON q.org = :org AND q.object = :object AND q.rule = :rule
                                           AND q.left_id = other.record_id
        WHERE other.cluster_id = m.cluster_id AND other.record_id < p.left_id)
 ORDER BY p.left_id LIMIT :limit
"""
_OF_RECORD = f"""
{_OPEN} WHERE cluster_id = (SELECT cluster_id FROM headwater.duplicate_member
                             WHERE org = :org AND object = :object AND record_id = :record_id)
"""
_OF_NUMBER = f"{_OPEN} WHERE {_OF} AND cluster_id = :cluster_id"
_COUNT = f"SELECT count(*) FROM (SELECT FROM headwater.duplicate_cluster WHERE {_OF} LIMIT {COUNTED_TO + 1}) AS open"
_PAIRS = """
SELECT m.cluster_id, array_agg(DISTINCT p.rule ORDER BY p.rule) AS rules, max(p.score) AS best
  FROM headwater.duplicate_member AS m
  JOIN headwater.duplicate_pair AS p ON p.org = m.org AND p.object = m.object AND p.left_id = m.record_id
 WHERE m.cluster_id = ANY(:clusters) GROUP BY m.cluster_id
"""
_FIRST = """
SELECT cluster_id, min(record_id COLLATE "C") AS first_id FROM headwater.duplicate_member
 WHERE cluster_id = ANY(:clusters) GROUP BY cluster_id
"""
# Each distinct rule by a jump in the index, not by reading it all.
_RULES = """
WITH RECURSIVE step AS (
    (SELECT rule FROM headwater.duplicate_pair WHERE org = :org AND object = :object ORDER BY rule LIMIT 1)
    UNION ALL
    SELECT (SELECT p.rule FROM headwater.duplicate_pair AS p
             WHERE p.org = :org AND p.object = :object AND p.rule > step.rule ORDER BY p.rule LIMIT 1)
      FROM step WHERE step.rule IS NOT NULL
)
SELECT rule FROM step WHERE rule IS NOT NULL
"""


def duplicate_objects(engine: Engine, org: str) -> tuple[DuplicateObject, ...]:
    """Return the objects of an org whose records are compared."""
    with transaction(engine) as connection:
        rows = connection.execute(text(_OBJECTS), {"org": org}).all()
    return tuple(
        DuplicateObject(
            object=row.object,
            matched_at=row.at,
            seconds=row.seconds,
            whole=bool(row.whole),
            skipped={str(rule): str(why) for rule, why in (row.skipped or {}).items()},
        )
        for row in rows
    )


def rules_found(engine: Engine, org: str, object: str) -> tuple[str, ...]:
    """Return the rules by which pairs of an object were found."""
    with transaction(engine) as connection:
        return tuple(connection.execute(text(_RULES), {"org": org, "object": object}).scalars())


def find_clusters(
    engine: Engine, org: str, object: str, *, record_id: str | None = None, cluster_id: int | None = None
) -> ClusterPage:
    """Return the cluster of a record, or the one of a number; none when there is none that is open."""
    with transaction(engine) as connection:
        found: list[Any] = []
        if record_id:
            found += connection.execute(text(_OF_RECORD), {"org": org, "object": object, "record_id": record_id}).all()
        elif cluster_id is not None:
            found += connection.execute(
                text(_OF_NUMBER), {"org": org, "object": object, "cluster_id": cluster_id}
            ).all()
        return ClusterPage(lines=_lines(connection, found), counted=len(found), after="")


def list_clusters(
    engine: Engine, org: str, object: str, *, order: Order = "largest", rule: str = "", after: str = "", size: int
) -> ClusterPage:
    """Return a page of the open clusters of an object.

    Args:
        engine: the warehouse.
        org: whose.
        object: which.
        order: the largest or the newest first; by a rule, in the order of Ids.
        rule: only clusters with a pair that this rule found; "": all.
        after: where the page before ended (`ClusterPage.after`); what is none begins at the beginning.
        size: how many at most.
    """
    with transaction(engine) as connection:
        key = {"org": org, "object": object, "limit": size + 1}
        found = connection.execute(*_statement(key, order=order, rule=rule, after=after)).all()
        shown, more = found[:size], len(found) > size
        counted = 0 if rule else int(connection.execute(text(_COUNT), key).scalar_one())
        return ClusterPage(
            lines=_lines(connection, shown),
            counted=counted,
            after=_after(shown[-1], order=order, rule=rule) if more else "",
        )


def _statement(key: dict[str, Any], *, order: Order, rule: str, after: str) -> tuple[Any, dict[str, Any]]:
    if rule:
        return text(_BY_RULE), key | {"rule": rule, "left_id": after}
    if order == "newest":
        return text(_NEWEST), key | {"cluster_id": _number(after) or 2**62}
    members, _, cluster_id = after.partition("-")
    if not _number(members) or not _number(cluster_id):
        return text(_LARGEST), key
    return text(_LARGEST_AFTER), key | {"members": _number(members), "cluster_id": _number(cluster_id)}


def _after(last: Any, *, order: Order, rule: str) -> str:
    if rule:
        return str(last.left_id)
    return str(last.cluster_id) if order == "newest" else f"{last.members}-{last.cluster_id}"


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 18 else 0


def _lines(connection: Connection, rows: Sequence[Any]) -> tuple[ClusterLine, ...]:
    clusters = {"clusters": [row.cluster_id for row in rows]}
    pairs = {row.cluster_id: row for row in connection.execute(text(_PAIRS), clusters)}
    first = {row.cluster_id: row.first_id for row in connection.execute(text(_FIRST), clusters)}
    return tuple(
        ClusterLine(
            cluster_id=row.cluster_id,
            members=row.members,
            best=pairs[row.cluster_id].best if row.cluster_id in pairs else None,
            weakest=row.score,
            rules=tuple(pairs[row.cluster_id].rules) if row.cluster_id in pairs else (),
            made_at=row.made_at,
            changed_at=row.changed_at,
            first_id=first.get(row.cluster_id, ""),
        )
        for row in rows
    )
