"""Find the newest run of each kind and subject by jumping through the index, for the queries that begin with it."""

from __future__ import annotations

# The ledger of runs may be long, and the order is the index's own, so that the planner walks no other one backwards to
# a subject that has been quiet for weeks.
NEWEST_RUNS = """
WITH RECURSIVE newest (kind, subject, run_id) AS (
    SELECT k.kind, n.subject, n.run_id
      FROM (VALUES ('extract'), ('reconcile'), ('health'), ('push')) AS k (kind)
     CROSS JOIN LATERAL (SELECT r.subject, r.run_id FROM headwater.run AS r WHERE r.kind = k.kind AND r.org = :org
                          ORDER BY r.subject, r.run_id DESC LIMIT 1) AS n
    UNION ALL
    SELECT s.kind, n.subject, n.run_id
      FROM newest AS s
     CROSS JOIN LATERAL (SELECT r.subject, r.run_id FROM headwater.run AS r
                          WHERE r.kind = s.kind AND r.org = :org AND r.subject > s.subject
                          ORDER BY r.subject, r.run_id DESC LIMIT 1) AS n)
"""
