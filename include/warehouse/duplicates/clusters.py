"""Bring clusters to what the pairs say: what is connected is one cluster, and a cluster keeps its number.

Only clusters that a changed pair touches are looked at. A cluster that grows or shrinks stays what it is. Of clusters
that meet, the oldest stays and the others point to it; of one that falls apart, the part with most members keeps the
number, of equal ones the one whose members have been there longest.
"""

from __future__ import annotations

from sqlalchemy import Connection

TOUCHED = "regroup_touched"  # a temporary table of one column, record_id, that the caller fills


def regroup(connection: Connection, org: str, object: str) -> None:
    """Bring the clusters of the records in `regroup_touched` up to date; call it in the transaction of the pairs."""
    names = {"org": org, "object": object}
    for statement in _GATHER:
        connection.exec_driver_sql(statement, names)
    _connect(connection)
    for statement in _SETTLE:
        connection.exec_driver_sql(statement, names)


def _connect(connection: Connection) -> None:
    """Give every record of `regroup_node` the lowest Id that pairs lead to, in rounds until none changes."""
    while connection.exec_driver_sql(_LOWER).rowcount:
        # Jump along the labels too: a chain of a thousand records is done in ten rounds, not in a thousand.
        while connection.exec_driver_sql(_JUMP).rowcount:
            pass


_GATHER = (
    "DROP TABLE IF EXISTS regroup_node, regroup_edge, regroup_part, regroup_heir, regroup_old, regroup_now",
    # Whoever is in a cluster with one that was touched, and whoever a pair leads to from there.
    f"""
    CREATE TEMPORARY TABLE regroup_node ON COMMIT DROP AS
    WITH known AS (
        SELECT other.record_id FROM {TOUCHED} AS t
        JOIN headwater.duplicate_member AS m ON m.org = %(org)s AND m.object = %(object)s AND m.record_id = t.record_id
        JOIN headwater.duplicate_member AS other ON other.cluster_id = m.cluster_id
        UNION SELECT record_id FROM {TOUCHED})
    SELECT record_id, record_id AS label FROM known""",
    "ALTER TABLE regroup_node ADD PRIMARY KEY (record_id)",
    "ANALYZE regroup_node",
    """
    CREATE TEMPORARY TABLE regroup_edge ON COMMIT DROP AS
    SELECT DISTINCT p.left_id, p.right_id FROM headwater.duplicate_pair AS p
    JOIN regroup_node AS a ON a.record_id = p.left_id JOIN regroup_node AS b ON b.record_id = p.right_id
    WHERE p.org = %(org)s AND p.object = %(object)s""",
    "ANALYZE regroup_edge",
)

_LOWER = """
UPDATE regroup_node AS n SET label = f.label
FROM (SELECT record_id, min(label COLLATE "C") AS label FROM (
          SELECT e.left_id AS record_id, b.label FROM regroup_edge AS e
          JOIN regroup_node AS b ON b.record_id = e.right_id
          UNION ALL
          SELECT e.right_id, a.label FROM regroup_edge AS e JOIN regroup_node AS a ON a.record_id = e.left_id) AS near
      GROUP BY record_id) AS f
WHERE f.record_id = n.record_id AND f.label COLLATE "C" < n.label COLLATE "C\""""

_JUMP = """
UPDATE regroup_node AS n SET label = up.label FROM regroup_node AS up
WHERE up.record_id = n.label AND up.label COLLATE "C" < n.label COLLATE "C\""""

_SETTLE = (
    # The parts that pairs make now, of two records at least, with the cluster that each record was in.
    """
    CREATE TEMPORARY TABLE regroup_part ON COMMIT DROP AS
    SELECT n.record_id, n.label, m.cluster_id AS was, m.joined_at FROM (
        SELECT record_id, label, count(*) OVER (PARTITION BY label) AS members FROM regroup_node) AS n
    LEFT JOIN headwater.duplicate_member AS m
           ON m.org = %(org)s AND m.object = %(object)s AND m.record_id = n.record_id
    WHERE n.members > 1""",
    "ANALYZE regroup_part",
    """
    CREATE TEMPORARY TABLE regroup_old ON COMMIT DROP AS
    SELECT m.record_id, m.cluster_id FROM headwater.duplicate_member AS m
    JOIN regroup_node AS n ON n.record_id = m.record_id WHERE m.org = %(org)s AND m.object = %(object)s""",
    "ANALYZE regroup_old",
    # Where each cluster goes on: in the part with most of its members, of equal ones where they have been longest. Of
    # the clusters that go on in one part, the oldest gives its number.
    """
    CREATE TEMPORARY TABLE regroup_heir ON COMMIT DROP AS
    SELECT was, label, min(was) OVER (PARTITION BY label) AS cluster_id FROM (
        SELECT DISTINCT ON (was) was, label FROM (
            SELECT was, label, count(*) AS members, min(joined_at) AS since, min(record_id COLLATE "C") AS lowest
            FROM regroup_part WHERE was IS NOT NULL GROUP BY was, label) AS counted
        ORDER BY was, members DESC, since, lowest) AS goes_on""",
    # Parts without a cluster get a new number, in the order of their lowest Ids.
    """
    WITH fresh AS (
        SELECT label, count(*) AS members,
               nextval(pg_get_serial_sequence('headwater.duplicate_cluster', 'cluster_id')) AS cluster_id
        FROM regroup_part AS p WHERE NOT EXISTS (SELECT FROM regroup_heir AS h WHERE h.label = p.label)
        GROUP BY label ORDER BY label COLLATE "C"),
    made AS (
        INSERT INTO headwater.duplicate_cluster (cluster_id, org, object, members) OVERRIDING SYSTEM VALUE
        SELECT cluster_id, %(org)s, %(object)s, members FROM fresh)
    INSERT INTO regroup_heir (was, label, cluster_id) SELECT NULL, label, cluster_id FROM fresh""",
    "ANALYZE regroup_heir",
    """
    CREATE TEMPORARY TABLE regroup_now ON COMMIT DROP AS SELECT DISTINCT p.record_id, h.cluster_id, p.was
    FROM regroup_part AS p JOIN regroup_heir AS h ON h.label = p.label""",
    "ANALYZE regroup_now",
    # What happened, before it does. A cluster that was made now needs no line for its members.
    """
    INSERT INTO headwater.duplicate_change (cluster_id, what, record_id, other_id)
    SELECT cluster_id, what, record_id, other_id FROM (
        SELECT n.cluster_id, 'joined' AS what, n.record_id, NULL::bigint AS other_id, 1 AS turn FROM regroup_now AS n
        WHERE n.was IS DISTINCT FROM n.cluster_id AND n.cluster_id IN (SELECT was FROM regroup_heir)
        UNION ALL
        SELECT o.cluster_id, 'left', o.record_id, NULL, 2 FROM regroup_old AS o
        LEFT JOIN regroup_now AS n ON n.record_id = o.record_id WHERE n.cluster_id IS DISTINCT FROM o.cluster_id
        UNION ALL
        SELECT DISTINCT o.cluster_id, 'split', NULL, n.cluster_id, 3 FROM regroup_old AS o
        JOIN regroup_now AS n ON n.record_id = o.record_id
        JOIN regroup_heir AS h ON h.was = o.cluster_id
        WHERE n.cluster_id <> h.cluster_id AND h.cluster_id = o.cluster_id
        UNION ALL
        SELECT h.was, 'merged', NULL, h.cluster_id, 4 FROM regroup_heir AS h WHERE h.was <> h.cluster_id
        UNION ALL
        SELECT DISTINCT o.cluster_id, 'ended', NULL, NULL::bigint, 5 FROM regroup_old AS o
        WHERE NOT EXISTS (SELECT FROM regroup_heir AS h WHERE h.was = o.cluster_id)) AS happened
    ORDER BY turn, cluster_id, record_id""",
    """
    UPDATE headwater.duplicate_cluster AS c
    SET ended_at = now(), changed_at = now(), members = 0, merged_into = h.cluster_id
    FROM (SELECT DISTINCT cluster_id FROM regroup_old) AS o LEFT JOIN regroup_heir AS h ON h.was = o.cluster_id
    WHERE c.cluster_id = o.cluster_id AND h.cluster_id IS DISTINCT FROM o.cluster_id""",
    """
    DELETE FROM headwater.duplicate_member AS m USING regroup_old AS o
    WHERE m.org = %(org)s AND m.object = %(object)s AND m.record_id = o.record_id
      AND NOT EXISTS (SELECT FROM regroup_now AS n WHERE n.record_id = o.record_id)""",
    """
    INSERT INTO headwater.duplicate_member AS m (org, object, record_id, cluster_id)
    SELECT %(org)s, %(object)s, record_id, cluster_id FROM regroup_now WHERE was IS DISTINCT FROM cluster_id
    ON CONFLICT (org, object, record_id) DO UPDATE SET cluster_id = excluded.cluster_id, joined_at = now()""",
    # Sizes and the weakest of the pairs that hold each cluster together, where something may have changed.
    """
    WITH best AS (
        SELECT left_id, right_id, max(score) AS score FROM headwater.duplicate_pair AS p
        WHERE org = %(org)s AND object = %(object)s AND left_id IN (SELECT record_id FROM regroup_now)
        GROUP BY left_id, right_id),
    counted AS (SELECT cluster_id, count(*) AS members FROM regroup_now GROUP BY cluster_id),
    now_are AS (
        SELECT n.cluster_id, c.members, min(b.score) AS score FROM regroup_now AS n
        JOIN counted AS c ON c.cluster_id = n.cluster_id JOIN best AS b ON b.left_id = n.record_id
        GROUP BY n.cluster_id, c.members)
    UPDATE headwater.duplicate_cluster AS c SET members = a.members, score = a.score,
           changed_at = CASE WHEN c.made_at = now() THEN c.changed_at ELSE now() END
    FROM now_are AS a
    WHERE c.cluster_id = a.cluster_id AND (c.members, c.score) IS DISTINCT FROM (a.members::integer, a.score)""",
)
