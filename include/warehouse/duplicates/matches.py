"""Read of records that rules found to be duplicates: of which cluster, by which rule, and of which record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.config.checks import SoughtDuplicates

_BEST = """
SELECT DISTINCT ON (record_id) record_id, other_id, rule, score, count(*) OVER (PARTITION BY record_id) AS others
  FROM (SELECT DISTINCT ON (record_id, other_id) record_id, other_id, rule, score FROM ({found}) AS found
         ORDER BY record_id, other_id, score DESC, rule) AS one
 ORDER BY record_id, score DESC, other_id"""

# Two look-ups by index instead of an OR, which would read all pairs.
_PAIRS = """
SELECT left_id AS record_id, right_id AS other_id, rule, score FROM headwater.duplicate_pair
 WHERE org = :org AND object = :object AND left_id = ANY(:ids) AND rule = ANY(:rules)
UNION ALL
SELECT right_id, left_id, rule, score FROM headwater.duplicate_pair
 WHERE org = :org AND object = :object AND right_id = ANY(:ids) AND rule = ANY(:rules)"""

_LINKS = """
SELECT record_id, other_id, rule, score FROM headwater.duplicate_link
 WHERE org = :org AND object = :object AND other_object = :among AND record_id = ANY(:ids) AND rule = ANY(:rules)"""

_MATCHES = """
SELECT best.*, m.cluster_id FROM ({best}) AS best
  LEFT JOIN headwater.duplicate_member AS m
         ON m.org = :org AND m.object = :object AND m.record_id = best.record_id AND :among = :object"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Hold the surest of the records that a record is one with, the rule that says so, and how many there are.

    `cluster_id` is None for a match with a record of another object.
    """

    record_id: str
    matched_id: str
    rule: str
    score: float
    others: int
    cluster_id: int | None


def matches_of(
    connection: Connection, org: str, object: str, sought: SoughtDuplicates, record_ids: Sequence[str]
) -> dict[str, Match]:
    """Return by Id what these records are one with, as it is now; one that is no duplicate any more is missing."""
    among = sought.among or object
    found = _PAIRS if among == object else _LINKS
    rows = connection.execute(
        text(_MATCHES.format(best=_BEST.format(found=found))),
        {"org": org, "object": object, "among": among, "rules": list(sought.rules), "ids": list(record_ids)},
    )
    return {
        row.record_id: Match(
            record_id=row.record_id,
            matched_id=row.other_id,
            rule=row.rule,
            score=round(row.score, 3),
            others=row.others,
            cluster_id=row.cluster_id,
        )
        for row in rows
    }
