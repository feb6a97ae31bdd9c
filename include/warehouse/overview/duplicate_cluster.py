"""One cluster of duplicates: its records side by side, what made them one, and what happened to it.

Values that must not be shown never leave the database: of those only whether they are filled and alike does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import quoted, transaction
from include.warehouse.overview.record import LONGEST_VALUE
from include.warehouse.personal.fields import PersonalFields, personal_fields

MOST_SIDE_BY_SIDE = 8
MOST_PAIRS = 100
MOST_CHANGES = 50
_OWN = ("_loaded_at", "_run_id", "_deleted_at")

_CLUSTER = """
SELECT cluster_id, object, members, score, made_at, changed_at, ended_at, merged_into
  FROM headwater.duplicate_cluster WHERE org = :org AND cluster_id = :cluster_id
"""
_MEMBERS = """
SELECT record_id, joined_at FROM headwater.duplicate_member WHERE cluster_id = :cluster_id AND record_id > :after
 ORDER BY record_id LIMIT :limit
"""
_PAIRS = """
SELECT p.left_id, p.right_id, array_agg(p.rule ORDER BY p.score DESC, p.rule) AS rules, max(p.score) AS score,
       min(p.found_at) AS found_at
  FROM headwater.duplicate_member AS m
  JOIN headwater.duplicate_pair AS p ON p.org = m.org AND p.object = m.object AND p.left_id = m.record_id
 WHERE m.cluster_id = :cluster_id GROUP BY p.left_id, p.right_id ORDER BY score DESC, p.left_id, p.right_id LIMIT :limit
"""
_LINKS = """
SELECT record_id AS own_id, other_object, other_id, rule FROM headwater.duplicate_link
 WHERE org = :org AND object = :object AND record_id = ANY(:ids)
 UNION ALL
SELECT other_id, object, record_id, rule FROM headwater.duplicate_link
 WHERE org = :org AND other_object = :object AND other_id = ANY(:ids)
 ORDER BY 1, 2, 3 LIMIT 50
"""
_CHANGES = """
SELECT at, what, coalesce(record_id, '') AS record_id, other_id FROM headwater.duplicate_change
 WHERE cluster_id = :cluster_id ORDER BY change_id DESC LIMIT :limit
"""
_COLUMNS = """
SELECT a.attname::text AS name, coalesce(f.label, '') AS label
  FROM pg_attribute AS a
  LEFT JOIN headwater.field AS f ON f.org = :org AND f.object = :object AND f.name = a.attname
 WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attname = ANY(:own)
 ORDER BY f.gone_at IS NOT NULL, f.position NULLS LAST, a.attnum
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Hold a value of one record; `value` is None where it is empty or masked."""

    filled: bool
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedField:
    """Hold a field of the records side by side, in the order of `members`."""

    name: str
    label: str
    masked: bool
    differs: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMember:
    """Name a record of a cluster; one without a row has none here (any more)."""

    record_id: str
    joined_at: datetime
    deleted: bool
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPair:
    """Hold two records of a cluster that rules say are one, the surest rule first."""

    left_id: str
    right_id: str
    rules: tuple[str, ...]
    score: float
    found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLink:
    """Hold a record of another object that a member is, too."""

    own_id: str
    other_object: str
    other_id: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterChange:
    """Hold what happened to a cluster."""

    at: datetime
    what: str
    record_id: str
    other_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOverview:
    """Hold a cluster; one that ended has no members any more."""

    cluster_id: int
    object: str
    count: int
    weakest: float
    made_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    merged_into: int | None
    members: tuple[ClusterMember, ...]
    after: str  # leads to the next members; "": these are the last
    fields: tuple[ComparedField, ...]
    pairs: tuple[ClusterPair, ...]
    links: tuple[ClusterLink, ...]
    changes: tuple[ClusterChange, ...]


def cluster_overview(
    engine: Engine, org: str, cluster_id: int, *, unmasked: bool, after: str = ""
) -> ClusterOverview | None:
    """Return what is known of a cluster, or None when the org never had it.

    Args:
        engine: the warehouse.
        org: whose.
        cluster_id: its number.
        unmasked: whether to read the values of personal fields, too.
        after: the last Id of the members shown before.
    """
    with transaction(engine) as connection:
        key = {"org": org, "cluster_id": cluster_id}
        head = connection.execute(text(_CLUSTER), key).one_or_none()
        if head is None:
            return None
        found = connection.execute(text(_MEMBERS), key | {"after": after, "limit": MOST_SIDE_BY_SIDE + 1}).all()
        shown = found[:MOST_SIDE_BY_SIDE]
        ids = [row.record_id for row in shown]
        register = personal_fields(connection, org, [head.object])
        rows, fields = _side_by_side(connection, org, head.object, ids, register, unmasked=unmasked)
        links = connection.execute(text(_LINKS), {"org": org, "object": head.object, "ids": ids})
        return ClusterOverview(
            cluster_id=head.cluster_id,
            object=head.object,
            count=head.members,
            weakest=head.score,
            made_at=head.made_at,
            changed_at=head.changed_at,
            ended_at=head.ended_at,
            merged_into=head.merged_into,
            members=tuple(
                ClusterMember(
                    record_id=row.record_id,
                    joined_at=row.joined_at,
                    deleted=rows.get(row.record_id, False),
                    held=row.record_id in rows,
                )
                for row in shown
            ),
            after=ids[-1] if len(found) > len(shown) else "",
            fields=fields,
            pairs=tuple(
                ClusterPair(
                    left_id=row.left_id,
                    right_id=row.right_id,
                    rules=tuple(row.rules),
                    score=row.score,
                    found_at=row.found_at,
                )
                for row in connection.execute(text(_PAIRS), key | {"limit": MOST_PAIRS})
            ),
            links=tuple(ClusterLink(**row) for row in links.mappings()),
            changes=tuple(
                ClusterChange(**row)
                for row in connection.execute(text(_CHANGES), key | {"limit": MOST_CHANGES}).mappings()
            ),
        )


def _side_by_side(
    connection: Connection, org: str, object: str, ids: Sequence[str], register: PersonalFields, *, unmasked: bool
) -> tuple[Mapping[str, bool], tuple[ComparedField, ...]]:
    """Return which of the records have a row, with whether it is deleted, and their fields of which one is filled."""
    table = quoted(f"salesforce_{org}", object)
    columns = connection.execute(
        text(_COLUMNS), {"org": org, "object": object, "table": table, "own": list(_OWN)}
    ).all()
    if "Id" not in {column.name for column in columns} or not ids:
        return {}, ()
    columns = [column for column in columns if column.name != "Id"]
    masked = [not unmasked and register.is_personal(object, column.name) for column in columns]
    read = "".join(
        f", {_place(column.name) if hidden else quoted(column.name)}, {quoted(column.name)} IS NOT NULL"
        for column, hidden in zip(columns, masked, strict=True)
    )
    found = connection.exec_driver_sql(
        f'SELECT "Id", _deleted_at IS NOT NULL{read} FROM {table} WHERE "Id" = ANY(%(ids)s)', {"ids": list(ids)}
    ).all()
    rows = {row[0]: row for row in found}
    empty = (None, False)
    fields = []
    for place, (column, hidden) in enumerate(zip(columns, masked, strict=True)):
        at = 2 + 2 * place
        values = [tuple(rows[each][at : at + 2]) if each in rows else empty for each in ids]
        if any(filled for _, filled in values):
            fields.append(
                ComparedField(
                    name=column.name,
                    label=column.label,
                    masked=hidden,
                    differs=len({str(value) if filled else None for value, filled in values}) > 1,
                    cells=tuple(
                        Cell(filled=filled, value=None if hidden else _shortened(value)) for value, filled in values
                    ),
                )
            )
    return {each: bool(row[1]) for each, row in rows.items()}, tuple(fields)


def _place(column: str) -> str:
    """Return the expression of a masked value: its place among those beside it, equal for equal values alone."""
    return f"CASE WHEN {quoted(column)} IS NOT NULL THEN dense_rank() OVER (ORDER BY {quoted(column)}::text) END"


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return f"{value[:LONGEST_VALUE]}… ({len(value):,} characters)"
    return value
