"""Compare the pairs that were found with the truth."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction
from tools.duplicates.truth import kinds

MOVED = "contact_duplicate_moved"
ACROSS = "lead_duplicates_contact"

# Pairs within an object and links between two, each pair once, with the rule that comes first of those that found it.
_FOUND = """
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT a, b, min(rule) AS rule FROM (
    SELECT least(left_id, right_id) AS a, greatest(left_id, right_id) AS b, rule FROM headwater.duplicate_pair
     WHERE org = :org
     UNION ALL
    SELECT least(record_id, other_id), greatest(record_id, other_id), 'link: ' || rule FROM headwater.duplicate_link
     WHERE org = :org
) AS each_rule GROUP BY 1, 2;
"""
_BY_RULE = """
SELECT f.rule, count(*), count(*) FILTER (WHERE p.a IS NULL)
  FROM (SELECT rule, left_id, right_id FROM headwater.duplicate_pair WHERE org = :org
         UNION ALL
        SELECT 'link: ' || rule, record_id, other_id FROM headwater.duplicate_link WHERE org = :org) AS f
  LEFT JOIN truth.pair AS p ON p.a = least(f.left_id, f.right_id) AND p.b = greatest(f.left_id, f.right_id)
 GROUP BY f.rule ORDER BY f.rule
"""
_CLUSTERS = """
SELECT count(*), count(*) FILTER (WHERE entities > 1) FROM (
    SELECT m.cluster_id, count(DISTINCT coalesce(e.entity, m.record_id)) AS entities
      FROM headwater.duplicate_member AS m LEFT JOIN truth.entity AS e ON e.id = m.record_id
     WHERE m.org = :org GROUP BY m.cluster_id
) AS counted
"""
_JUDGED = """
CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
SELECT f.a, f.b, f.rule, p.kind AS kind, t.kind AS trap
  FROM found AS f LEFT JOIN truth.pair AS p ON p.a = f.a AND p.b = f.b
  LEFT JOIN truth.trap AS t ON t.a = f.a AND t.b = f.b
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Hold how many pairs of a kind there are, and how many were found."""

    kind: str
    object: str
    planted: int
    found: int

    @property
    def share(self) -> float:
        """Return the share that was found; of nothing, all."""
        return self.found / self.planted if self.planted else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """Hold how many pairs that only look alike there are, and how many were taken for duplicates."""

    kind: str
    planted: int
    taken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRule:
    """Hold how many pairs a rule found, and how many of them are none."""

    rule: str
    found: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Hold what was found, right and wrong."""

    recalls: tuple[Recall, ...]
    traps: tuple[Trap, ...]
    rules: tuple[ByRule, ...]
    right: int
    wrong: int
    clusters: int
    mixed_clusters: int  # that hold records of more than one entity

    @property
    def precision(self) -> float:
        """Return the share of the found pairs that are duplicates."""
        return _share(self.right, self.wrong)

    @property
    def precision_among_traps(self) -> float:
        """Return the same, where of the wrong pairs only the planted traps count."""
        return _share(self.right, sum(each.taken for each in self.traps))

    @property
    def recall(self) -> float:
        """Return the share of duplicate contacts that was found, over all kinds but moved company."""
        counted = [each for each in self.recalls if each.object == "Contact" and each.kind != MOVED]
        return sum(each.found for each in counted) / max(1, sum(each.planted for each in counted))

    def recall_of(self, kind: str) -> float:
        """Return the share of the pairs of a kind that was found."""
        return next(each.share for each in self.recalls if each.kind == kind)


def score(engine: Engine, org: str) -> Score:
    """Compare the pairs in the ledger of an org with the truth."""
    with transaction(engine) as connection:
        connection.execute(text(_FOUND), {"org": org})
        connection.execute(text(_JUDGED))
        right, wrong = connection.execute(
            text("SELECT count(*) FILTER (WHERE kind IS NOT NULL), count(*) FILTER (WHERE kind IS NULL) FROM judged")
        ).one()
        clusters, mixed = connection.execute(text(_CLUSTERS), {"org": org}).one()
        return Score(
            recalls=_recalls(connection),
            traps=_traps(connection),
            rules=_rules(connection, org),
            right=right,
            wrong=wrong,
            clusters=clusters,
            mixed_clusters=mixed,
        )


def _recalls(connection: Connection) -> tuple[Recall, ...]:
    planted = _counted(connection, "SELECT kind, count(*) FROM truth.pair GROUP BY kind")
    found = _counted(connection, "SELECT kind, count(*) FROM judged WHERE kind IS NOT NULL GROUP BY kind")
    named = {each.name: each.object for each in kinds() if each.is_same} | {"by a third record": "any"}
    return tuple(
        Recall(kind=kind, object=object, planted=planted.get(kind, 0), found=found.get(kind, 0))
        for kind, object in named.items()
    )


def _traps(connection: Connection) -> tuple[Trap, ...]:
    planted = _counted(connection, "SELECT kind, count(*) FROM truth.trap GROUP BY kind")
    taken = _counted(connection, "SELECT trap, count(*) FROM judged WHERE trap IS NOT NULL GROUP BY trap")
    return tuple(
        Trap(kind=each.name, planted=planted.get(each.name, 0), taken=taken.get(each.name, 0))
        for each in kinds()
        if not each.is_same
    )


def _rules(connection: Connection, org: str) -> tuple[ByRule, ...]:
    rows = connection.execute(text(_BY_RULE), {"org": org})
    return tuple(ByRule(rule=rule, found=found, wrong=wrong) for rule, found, wrong in rows)


def _counted(connection: Connection, sql: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in connection.execute(text(sql))}


def _share(right: int, wrong: int) -> float:
    return right / (right + wrong) if right + wrong else 1.0
