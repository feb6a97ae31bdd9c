"""The ledger of duplicates: which records of an object are one, who found that, and the clusters they make together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from include.warehouse.duplicates.clusters import TOUCHED, regroup
from include.warehouse.engine import driver

BY_RULES = "rules"
FOUND = "pair_found"  # a temporary table: left_id, right_id, rule, score


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPair:
    """Name two records of an object that are one, in any order, by which rule, and how sure that is (0 to 1)."""

    left_id: str
    right_id: str
    rule: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCounts:
    """Count the pairs that came, those that went, and those that another score was found for."""

    found: int
    lost: int
    rescored: int = 0

    @property
    def changed(self) -> bool:
        """Return whether any pair is other than before."""
        return bool(self.found or self.lost or self.rescored)


def store_pairs(
    connection: Connection, org: str, object: str, source: str, rows: Iterable[FoundPair], *, table: str = ""
) -> PairCounts:
    """Make these pairs all that a source knows of an object, and bring its clusters up to date.

    Pairs of other sources are left alone; pairs of all sources make clusters together.

    Args:
        connection: an open transaction; an error in it must roll it back.
        org: whose.
        object: which.
        source: who found them, such as `splink`; its pairs that are not among these are removed.
        rows: the pairs, taken one by one.
        table: the object's, for SQL: pairs of records that were deleted since somebody read them are left out.
    """
    lock_pairs(connection, org, object)
    open_found(connection)
    with driver(connection).cursor() as cursor, cursor.copy(f"COPY {FOUND} FROM STDIN") as copy:
        for pair in rows:
            if pair.left_id != pair.right_id:
                # Python compares code points, which is the order of COLLATE "C".
                copy.write_row((*sorted((pair.left_id, pair.right_id)), pair.rule, pair.score))
    if table:
        connection.exec_driver_sql(_LEAVE_OUT.format(table=table))
    return settle_pairs(connection, org, object, source)


_LEAVE_OUT = f"""
DELETE FROM {FOUND} WHERE 2 > (
    SELECT count(*) FROM {{table}} AS t WHERE t."Id" IN (left_id, right_id) AND t._deleted_at IS NULL)"""


def lock_pairs(connection: Connection, org: str, object: str) -> None:
    """Let one transaction at a time change the pairs and clusters of an object."""
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", {"key": f"headwater/duplicates/{org}/{object}"}
    )


def open_found(connection: Connection) -> None:
    """Make the empty table that takes what was found; it is gone with the transaction."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {FOUND}")
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {FOUND} (left_id text, right_id text, rule text, score real) ON COMMIT DROP"
    )


def settle_pairs(
    connection: Connection, org: str, object: str, source: str, *, among: str = "", alive: str = ""
) -> PairCounts:
    """Bring the pairs of a source to what `pair_found` holds, and then the clusters.

    Args:
        connection: an open transaction.
        org: whose.
        object: which.
        source: whose pairs.
        among: a temporary table of record_id: only pairs that one of them is in were looked for; "": all.
        alive: a table of record_id: pairs of other sources that lead to no record of it go, too; "": they stay.
    """
    names = {"org": org, "object": object, "source": source}
    for statement in _BEST:
        connection.exec_driver_sql(statement)
    scope = _AMONG.format(among=among) if among else _ALL
    lost = connection.exec_driver_sql(_LOSE.format(scope=scope), names).rowcount
    if alive:
        gone = _GONE_AMONG if among else _GONE
        for side in ("left_id", "right_id"):
            one = gone.format(side=side, among=among, alive=alive)
            lost += connection.exec_driver_sql(_LOSE_GONE.format(gone=one), names).rowcount
    rescored = connection.exec_driver_sql(_RESCORE, names).rowcount
    found = connection.exec_driver_sql(_FIND, names).rowcount
    if lost or found or rescored:
        connection.exec_driver_sql(f"ANALYZE {TOUCHED}")
        regroup(connection, org, object)
        connection.exec_driver_sql(
            "UPDATE headwater.match_set SET state = state + 1 WHERE org = %(org)s AND object = %(object)s", names
        )
    return PairCounts(found=found, lost=lost, rescored=rescored)


_BEST = (
    f"DROP TABLE IF EXISTS pair_best, {TOUCHED}",
    f"""
    CREATE TEMPORARY TABLE pair_best ON COMMIT DROP AS
    SELECT left_id, right_id, rule, max(score) AS score FROM {FOUND} GROUP BY left_id, right_id, rule""",
    "ANALYZE pair_best",
    f"CREATE TEMPORARY TABLE {TOUCHED} (record_id text) ON COMMIT DROP",
)

_ALL = """
    SELECT left_id, right_id, rule FROM headwater.duplicate_pair
    WHERE org = %(org)s AND object = %(object)s AND source = %(source)s"""

# Two look-ups by index instead of an OR, which would read all pairs.
_AMONG = """
    SELECT left_id, right_id, rule FROM headwater.duplicate_pair
    WHERE org = %(org)s AND object = %(object)s AND source = %(source)s
      AND left_id IN (SELECT record_id FROM {among})
    UNION
    SELECT left_id, right_id, rule FROM headwater.duplicate_pair
    WHERE org = %(org)s AND object = %(object)s AND source = %(source)s
      AND right_id IN (SELECT record_id FROM {among})"""

_TOUCH = f"INSERT INTO {TOUCHED} SELECT left_id FROM changed UNION SELECT right_id FROM changed"

_LOSE = f"""
WITH gone AS (
    SELECT left_id, right_id, rule FROM ({{scope}}) AS held
    EXCEPT SELECT left_id, right_id, rule FROM pair_best),
changed AS (
    DELETE FROM headwater.duplicate_pair AS p USING gone AS g
    WHERE p.org = %(org)s AND p.object = %(object)s AND p.source = %(source)s
      AND p.left_id = g.left_id AND p.right_id = g.right_id AND p.rule = g.rule
    RETURNING p.left_id, p.right_id),
touched AS ({_TOUCH})
SELECT FROM changed"""

_GONE = "NOT EXISTS (SELECT FROM {alive} AS k WHERE k.record_id = p.{side})"

_GONE_AMONG = """p.{side} IN (
    SELECT record_id FROM {among} AS d WHERE NOT EXISTS (SELECT FROM {alive} AS k WHERE k.record_id = d.record_id))"""

_LOSE_GONE = f"""
WITH changed AS (
    DELETE FROM headwater.duplicate_pair AS p
    WHERE p.org = %(org)s AND p.object = %(object)s AND p.source <> %(source)s AND {{gone}}
    RETURNING p.left_id, p.right_id),
touched AS ({_TOUCH})
SELECT FROM changed"""

_RESCORE = f"""
WITH changed AS (
    UPDATE headwater.duplicate_pair AS p SET score = b.score FROM pair_best AS b
    WHERE p.org = %(org)s AND p.object = %(object)s AND p.source = %(source)s
      AND p.left_id = b.left_id AND p.right_id = b.right_id AND p.rule = b.rule AND p.score <> b.score
    RETURNING p.left_id, p.right_id),
touched AS ({_TOUCH})
SELECT FROM changed"""

_FIND = f"""
WITH changed AS (
    INSERT INTO headwater.duplicate_pair (org, object, left_id, right_id, rule, source, score)
    SELECT %(org)s, %(object)s, left_id, right_id, rule, %(source)s, score FROM pair_best
    ON CONFLICT (org, object, left_id, right_id, rule) DO NOTHING
    RETURNING left_id, right_id),
touched AS ({_TOUCH})
SELECT FROM changed"""
