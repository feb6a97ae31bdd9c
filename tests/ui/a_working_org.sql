-- One org after three extracts and two assessments; texts with markup where a person or an org could write them.
INSERT INTO headwater.org (org, org_id, instance_url, name, is_sandbox)
VALUES ('demo', '00D000000000001EAA', 'https://demo.my.salesforce.test', 'Northwind', true);
INSERT INTO headwater.api_limit VALUES ('demo', 4213, 100000, '2026-03-01T10:00:00Z');
INSERT INTO headwater.api_budget (org_id, used, allowed, observed_at, kept, quota, began_at, paused_at, cause) VALUES
  ('00D000000000001EAA', 4213, 100000, '2026-03-01T10:00:00Z', 10000, 40000, '2026-03-01T00:00:00Z',
   '2026-03-01T03:00:00Z', '40% of our quota of 40,000 calls are used; from 40% on large loads wait');
INSERT INTO headwater.api_call (org, hour, purpose, object, run, calls) VALUES
  ('demo', date_trunc('hour', now()), 'extract', 'Contact', 'run 1', 12),
  ('demo', date_trunc('hour', now()), 'extract', 'Contact', 'run 2', 3),
  ('demo', date_trunc('hour', now()) - interval '2 hours', 'describe', '', 'run 1', 1);
INSERT INTO headwater.schema_change (org, object, field, kind, before, after, seen_at) VALUES
  ('demo', 'Contact', 'Fax', 'removed', 'phone(40)', '', '2026-03-01T09:00:00Z'),
  ('demo', 'Contact', 'Email', 'label', 'Email', 'E-mail <script>alert("label")</script>', '2026-03-01T09:00:00Z'),
  ('demo', 'Lead', 'Rating', 'picklist', 'Cold', 'Frozen', '2026-03-01T10:00:00Z');
INSERT INTO headwater.object (org, object, label, cursor_at, first_loaded_at) VALUES
  ('demo', 'Contact', 'Contact', '2026-03-01T10:00:00Z', '2026-02-01T00:00:00Z'),
  ('demo', 'Lead', 'Lead', NULL, NULL);
INSERT INTO headwater.run (run_id, kind, org, subject, dag_id, dag_run_id, task_id, run_type, state, message, started_at, ended_at)
OVERRIDING SYSTEM VALUE VALUES
  (1, 'extract', 'demo', 'Contact', 'demo_extract', 'scheduled__2026-03-01T09:00:00+00:00', 'extract_Contact', 'scheduled',
   'success', '', '2026-03-01T09:00:01Z', '2026-03-01T09:01:03Z'),
  (2, 'extract', 'demo', 'Contact', 'demo_extract', 'scheduled__2026-03-01T10:00:00+00:00', 'extract_Contact', 'scheduled',
   'degraded', '2 rows could not be stored', '2026-03-01T10:00:01Z', '2026-03-01T10:00:04Z'),
  (3, 'extract', 'demo', 'Lead', 'demo_extract', 'scheduled__2026-03-01T10:00:00+00:00', 'extract_Lead', 'scheduled',
   'failed', 'No such column <script>alert("run")</script> on Lead', '2026-03-01T10:00:02Z', '2026-03-01T10:00:03Z');
INSERT INTO headwater.extract (run_id, org, object, mode, low, high, plan, rows_read, inserted, updated, unchanged, deleted, rejected) VALUES
  (1, 'demo', 'Contact', 'full', NULL, '2026-03-01T09:00:00Z', 'bulk', 20001, 20001, 0, 0, 0, 0),
  (2, 'demo', 'Contact', 'changes', '2026-03-01T08:50:00Z', '2026-03-01T10:00:00Z', 'rest', 12, 1, 4, 5, 0, 2);
INSERT INTO headwater.certificate (run_id, org, object, here, in_org, difference, as_of, note) VALUES
  (1, 'demo', 'Contact', 20001, 20001, 0, '2026-03-01T09:00:00Z', ''),
  (2, 'demo', 'Contact', 20002, 20004, 2, '2026-03-01T10:00:00Z', '2 rows are in the reject table');
INSERT INTO headwater.run (run_id, kind, org, subject, state) OVERRIDING SYSTEM VALUE VALUES
  (4, 'reconcile', 'demo', 'Contact', 'failed');
INSERT INTO headwater.reconciliation (run_id, org, object, compared_at, in_org, here, vanished, quarantined) VALUES
  (4, 'demo', 'Contact', '2026-03-01T02:30:00Z', 18000, 20002, 2002, true);
INSERT INTO headwater.assessment (assessment_id, org, assessed_at, previous_id, records, records_with_issue, grade, seconds)
OVERRIDING SYSTEM VALUE VALUES
  (1, 'demo', '2026-03-01T09:10:00Z', NULL, 20001, 4000, 0.80, 1.5),
  (2, 'demo', '2026-03-01T10:10:00Z', 1, 20002, 3000, 0.85, 1.5);
INSERT INTO headwater.assessed_object VALUES
  (1, 'Contact', 20001, 4000, 0.80, '{}', '{}'),
  (2, 'Contact', 20002, 3000, 0.85, '{}', '{}');
INSERT INTO headwater.issue (assessment_id, check_id, object, title, why, category, severity, verdict, reason, records, failing, share, max_share, previous_failing, appeared, mended) VALUES
  (1, 'email_missing', 'Contact', 'Contacts without e-mail', 'They get no mail', 'Incomplete', 'error', 'failed', '', 20001, 55, 0.00275, 0, NULL, 55, 0),
  (2, 'email_missing', 'Contact', 'Contacts without e-mail', 'They get no mail', 'Incomplete', 'error', 'failed', '', 20002, 60, 0.003, 0, 55, 8, 3),
  (2, 'phone_bad', 'Contact', 'Phones that are none', 'Nobody can be called', 'Invalid', 'warning', 'passed', '', 20002, 9, 0.00045, 0.1, 12, 0, 3),
  (2, 'test_record', 'Contact', 'Test <script>alert("issue")</script> records', 'They "count" & distort', 'Low quality data', 'info', 'passed', '', 20002, 0, 0, 0, 0, 0, 0),
  (2, 'case_orphan', 'Case', 'Cases without contact', 'Nobody is answered', 'Orphaned', 'critical', 'not_assessed', 'Case is not extracted: add it to demo.yaml', 0, 0, 0, 0, NULL, 0, 0);
-- 55 of the first assessment, of which 3 were mended by the second, which found 8 more.
INSERT INTO headwater.finding
SELECT 'demo', 'email_missing', 'Contact', '003' || lpad(n::text, 12, '0') || 'AAA', 1, CASE WHEN n <= 3 THEN 2 END
  FROM generate_series(1, 55) AS n
UNION ALL
SELECT 'demo', 'email_missing', 'Contact', '003' || lpad(n::text, 12, '0') || 'AAA', 2, NULL
  FROM generate_series(56, 63) AS n;
