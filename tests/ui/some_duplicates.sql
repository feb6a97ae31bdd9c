-- Two clusters of contacts of the org in a_working_org.sql, one that ended, and three lines of the audit trail.
INSERT INTO headwater.match_set (org, object, built_at, matched_at) VALUES ('demo', 'Contact', now(), now());
INSERT INTO headwater.duplicate_cluster (cluster_id, org, object, members, score, made_at, ended_at, merged_into)
OVERRIDING SYSTEM VALUE VALUES
  (1, 'demo', 'Contact', 3, 0.9, '2026-03-01T10:00:00Z', NULL, NULL),
  (2, 'demo', 'Contact', 2, 0.8, '2026-03-01T10:00:00Z', NULL, NULL),
  (3, 'demo', 'Contact', 0, 0.8, '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z', 1);
INSERT INTO headwater.duplicate_member (org, object, record_id, cluster_id) VALUES
  ('demo', 'Contact', '003000000000001AAA', 1), ('demo', 'Contact', '003000000000002AAA', 1),
  ('demo', 'Contact', '003D000000QV9nlIAD', 1), ('demo', 'Contact', '003000000000007AAA', 2),
  ('demo', 'Contact', '003000000000008AAA', 2);
INSERT INTO headwater.duplicate_pair (org, object, left_id, right_id, rule, score) VALUES
  ('demo', 'Contact', '003000000000001AAA', '003000000000002AAA', 'email', 1),
  ('demo', 'Contact', '003000000000002AAA', '003D000000QV9nlIAD', 'name', 0.9),
  ('demo', 'Contact', '003000000000007AAA', '003000000000008AAA', 'phone', 0.8);
INSERT INTO headwater.duplicate_change (cluster_id, what, record_id, other_id) VALUES
  (1, 'joined', '003D000000QV9nlIAD', NULL), (3, 'merged', NULL, 1);
INSERT INTO headwater.audit (who, what, org, object, field, before, after) VALUES
  ('admin', 'decided', 'demo', 'Contact', 'Email', 'undecided', 'personal'),
  ('admin', 'decided', 'demo', 'Contact', 'Score__c', 'undecided', 'plain'),
  ('op', 'exported', 'demo', 'Contact', '', '', '');
