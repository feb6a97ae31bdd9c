"""Find the records of one object that are records of another: leads who are contacts already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.warehouse.duplicates.match_keys import KeySet
from include.warehouse.duplicates.search import Due, Sought, judged
from include.warehouse.engine import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Hold the keys of an object and which of its records are due."""

    keys: KeySet
    due: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounts:
    """Count the links that came and went, and say the number that changes with them."""

    found: int
    lost: int
    state: int


def link(
    connection: Connection, one: Side, other: Side, blocks: Sequence[Sought], *, rules: str, least: float
) -> LinkCounts:
    """Bring the links from the records of one object to those of another up to date.

    Call it in the transaction that took what is due of both.

    Args:
        connection: that transaction.
        one: whose records are judged.
        other: among whose records they are sought.
        blocks: the keys that both have, with the rules.
        rules: what links follow from beside the keys; another value than last time: everything is compared.
        least: links that are less sure are none.
    """
    row = connection.execute(text(_OPEN), _named(one, other) | {"rules": rules}).one()
    if not row.whole and not one.due.records and not other.due.records:
        return LinkCounts(found=0, lost=0, state=row.state)
    whole = row.whole or one.due.whole or other.due.whole
    run = connection.exec_driver_sql
    run("DROP TABLE IF EXISTS link_found, link_best")
    run("CREATE TEMPORARY TABLE link_found (record_id text, other_id text, rule text, score real) ON COMMIT DROP")
    for block in blocks:
        run(_links(one, other, block, least, whole=whole), execution_options={"no_parameters": True})
    run(
        "CREATE TEMPORARY TABLE link_best ON COMMIT DROP AS SELECT record_id, other_id, rule, max(score) AS score"
        " FROM link_found GROUP BY record_id, other_id, rule"
    )
    run("ANALYZE link_best")
    scope = "true" if whole else _SCOPE.format(one=one.due.table, other=other.due.table)
    named = _named(one, other)
    lost = connection.execute(text(_LOSE.format(scope=scope)), named).rowcount
    found = connection.execute(text(_FIND), named).rowcount
    state = connection.execute(text(_CLOSE), named | {"changed": int(bool(found or lost))}).scalar_one()
    return LinkCounts(found=found, lost=lost, state=state)


def forget_links(connection: Connection, org: str, objects: Sequence[str], kept: Sequence[tuple[str, str]]) -> None:
    """Note that records of these objects were compared without the links that are not kept: those begin anew."""
    connection.execute(
        text(
            "UPDATE headwater.match_set SET matched_at = NULL WHERE org = :org AND strpos(object, '>') > 0"
            " AND (split_part(object, '>', 1) = ANY(:objects) OR split_part(object, '>', 2) = ANY(:objects))"
            " AND NOT object = ANY(:kept)"
        ),
        {"org": org, "objects": list(objects), "kept": [f"{one}>{other}" for one, other in kept]},
    )


def _named(one: Side, other: Side) -> dict[str, str]:
    return {
        "org": one.keys.org,
        "object": one.keys.object,
        "other": other.keys.object,
        "name": f"{one.keys.object}>{other.keys.object}",
    }


def _links(one: Side, other: Side, block: Sought, least: float, *, whole: bool) -> str:
    crowd = (
        f"SELECT key FROM headwater.match_crowd WHERE block = '{block.name}'"
        f" AND set_id IN ({one.keys.set_id}, {other.keys.set_id})"
    )
    columns = [(quoted(left), quoted(right)) for left in block.columns for right in block.columns]
    if whole:
        met = " UNION ".join(
            f"SELECT x.record_id AS left_id, y.record_id AS right_id FROM {one.keys.table} AS x"
            f" JOIN {other.keys.table} AS y ON y.{right} = x.{left} WHERE x.{left} NOT IN ({crowd})"
            for left, right in columns
        )
    else:
        met = " UNION ".join(
            f"SELECT x.record_id AS left_id, y.record_id AS right_id FROM {due.table} AS d"
            f" JOIN {started} ON {alias}.record_id = d.record_id JOIN {reached} ON x.{left} = y.{right}"
            f" WHERE x.{left} NOT IN ({crowd})"
            for due, alias, started, reached in (
                (one.due, "x", f"{one.keys.table} AS x", f"{other.keys.table} AS y"),
                (other.due, "y", f"{other.keys.table} AS y", f"{one.keys.table} AS x"),
            )
            for left, right in columns
        )
    return (
        "INSERT INTO link_found SELECT left_id, right_id, rule, score FROM ("
        f"SELECT a.record_id AS left_id, b.record_id AS right_id, {judged(block)} FROM ({met}) AS met"
        f" JOIN {one.keys.table} AS a ON a.record_id = met.left_id"
        f" JOIN {other.keys.table} AS b ON b.record_id = met.right_id"
        f" CROSS JOIN LATERAL (SELECT CASE {block.first} END AS by OFFSET 0) AS j WHERE j.by IS NOT NULL) AS judged"
        f" WHERE score >= {least}"
    )


_OPEN = """
INSERT INTO headwater.match_set AS s (org, object, rules) VALUES (:org, :name, :rules)
ON CONFLICT (org, object) DO UPDATE SET rules = excluded.rules,
    matched_at = CASE WHEN s.rules = excluded.rules THEN s.matched_at END
RETURNING matched_at IS NULL AS whole, state"""

_CLOSE = """
UPDATE headwater.match_set SET matched_at = now(), state = state + :changed WHERE org = :org AND object = :name
RETURNING state"""

_SCOPE = """
(l.record_id IN (SELECT record_id FROM {one}) OR l.other_id IN (SELECT record_id FROM {other}))"""

_LOSE = """
DELETE FROM headwater.duplicate_link AS l WHERE l.org = :org AND l.object = :object AND l.other_object = :other
AND {scope} AND NOT EXISTS (SELECT FROM link_best AS b
    WHERE b.record_id = l.record_id AND b.other_id = l.other_id AND b.rule = l.rule)"""

_FIND = """
INSERT INTO headwater.duplicate_link AS l (org, object, record_id, other_object, other_id, rule, score)
SELECT :org, :object, record_id, :other, other_id, rule, score FROM link_best
ON CONFLICT (org, object, record_id, other_object, other_id, rule) DO UPDATE SET score = excluded.score
WHERE l.score <> excluded.score"""
