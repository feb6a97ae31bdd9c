-- An org with a long past, made by the server itself: ledgers of the length that a busy org has after a year or more.
-- {records} rows of Contact; findings and outcomes follow it, and {fifth} sync errors and events of the outbox.
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';

INSERT INTO headwater.org (org, org_id, instance_url, name, is_sandbox) VALUES
  ('demo', '00D000000000001EAA', 'https://demo.my.salesforce.test', 'Northwind', true),
  ('other', '00D000000000002EAA', 'https://other.my.salesforce.test', 'Southwind', false);
INSERT INTO headwater.api_limit VALUES ('demo', 4213, 100000, now());
INSERT INTO headwater.api_budget (org_id, used, allowed, observed_at, kept, quota, began_at)
VALUES ('00D000000000001EAA', 4213, 100000, now(), 10000, 40000, date_trunc('day', now()));

CREATE TEMPORARY TABLE names AS
SELECT n, CASE n WHEN 1 THEN 'Contact' WHEN 2 THEN 'Account' WHEN 3 THEN 'Lead' WHEN 4 THEN 'Opportunity'
                 ELSE 'Thing' || n || '__c' END AS object
  FROM generate_series(1, 20) AS n;
INSERT INTO headwater.object (org, object, label, key_prefix, cursor_at, first_loaded_at, described_at)
SELECT org, object, object, CASE object WHEN 'Contact' THEN '003' ELSE lpad(n::text, 3, 'a') END, now(), now() - interval '1 year', now()
  FROM names, (VALUES ('demo'), ('other')) AS o (org);
INSERT INTO headwater.field (org, object, position, name, label, type, calculated)
SELECT 'demo', object, f, CASE f WHEN 1 THEN 'Id' WHEN 2 THEN 'Email' WHEN 3 THEN 'LastName' WHEN 4 THEN 'SystemModstamp'
                               WHEN 5 THEN 'LastModifiedById' ELSE 'Field' || f || '__c' END,
       'Field ' || f, CASE f WHEN 1 THEN 'id' WHEN 2 THEN 'email' WHEN 4 THEN 'datetime' WHEN 5 THEN 'reference' ELSE 'string' END, f % 40 = 0
  FROM names, generate_series(1, 120) AS f;

CREATE SCHEMA salesforce_demo;
CREATE TABLE salesforce_demo."Contact" (
    "Id" text NOT NULL, "Email" text, "LastName" text, "SystemModstamp" timestamptz, "LastModifiedById" text,
    _loaded_at timestamptz NOT NULL DEFAULT now(), _run_id bigint, _deleted_at timestamptz);
INSERT INTO salesforce_demo."Contact"
SELECT '003' || lpad(n::text, 12, '0') || 'AAA', 'p' || n || '@example.com', 'Name', now() - n * interval '1 minute',
       '005' || lpad((n % 50)::text, 12, '0') || 'AAA', now(), 1, NULL
  FROM generate_series(1, {records}) AS n;
ALTER TABLE salesforce_demo."Contact" ADD PRIMARY KEY ("Id");
CREATE INDEX "Contact_SystemModstamp" ON salesforce_demo."Contact" ("SystemModstamp");

-- 10,000 runs of twenty objects and some pushes; most read nothing. One object has been quiet for all but the first of them.
INSERT INTO headwater.run (kind, org, subject, dag_id, dag_run_id, task_id, run_type, state, message, started_at, ended_at)
SELECT CASE WHEN n % 40 = 0 THEN 'push' WHEN n % 41 = 0 THEN 'health' ELSE 'extract' END,
       CASE WHEN n % 50 = 7 THEN 'other' ELSE 'demo' END,
       CASE WHEN n % 40 = 0 THEN 'push_' || n / 40 % 5 WHEN n % 41 = 0 THEN 'assessment'
            WHEN n > 100 AND n % 20 = 5 THEN 'Contact' ELSE (SELECT object FROM names WHERE names.n = g.n % 20 + 1) END,
       'demo_extract', 'scheduled__' || n / 20, 'extract', 'scheduled',
       CASE WHEN n % 500 = 0 THEN 'failed' WHEN n % 10 > 2 THEN 'skipped' ELSE 'success' END, '',
       now() - (10000 - n) * interval '3 minutes', now() - (10000 - n) * interval '3 minutes' + interval '4 seconds'
  FROM generate_series(1, 10000) AS g (n);
INSERT INTO headwater.extract (run_id, org, object, mode, low, high, plan, rows_read, inserted, updated, committed_at)
SELECT run_id, org, subject, CASE WHEN run_id < 60 THEN 'full' WHEN run_id % 90 = 0 THEN 'interval' ELSE 'changes' END,
       CASE WHEN run_id < 60 THEN NULL ELSE started_at - interval '1 hour' END, started_at, 'rest', 100, 10, 90, ended_at
  FROM headwater.run WHERE kind = 'extract' AND state = 'success';
INSERT INTO headwater.certificate (run_id, org, object, here, in_org, difference, as_of)
SELECT run_id, org, object, {records}, {records}, 0, high FROM headwater.extract;
INSERT INTO headwater.onboarding (org, object, rows, fields, plan, calls, seconds, measured, forecast_at)
SELECT 'demo', object, 1000, 120, 'bulk', 20, 60, false, now() - interval '1 year' FROM names;
UPDATE headwater.object SET first_loaded_at = NULL WHERE org = 'demo' AND object = 'Thing20__c';
INSERT INTO headwater.api_call
SELECT 'demo', date_trunc('hour', now()) - h * interval '1 hour', p, o.object, 'run ' || h, 3
  FROM generate_series(0, 2000) AS h, (VALUES ('extract'), ('describe')) AS g (p), names AS o;
INSERT INTO headwater.schema_change (org, object, field, kind, before, after)
SELECT 'demo', 'Contact', 'Field' || n || '__c', 'label', 'a', 'b' FROM generate_series(1, 20000) AS n;
INSERT INTO headwater.notification (org, key, event, title, message, resolved_at)
SELECT 'demo', 'k' || n, 'run_failed', 'A run failed', 'why', now() FROM generate_series(1, 20000) AS n;
INSERT INTO headwater.reject (run_id, org, object, record_id, cause, source)
SELECT 1, 'demo', 'Contact', '003' || lpad(n::text, 12, '0') || 'AAA', '22001', '{{}}' FROM generate_series(1, 5000) AS n;

-- 1,000 assessments of 72 checks, and the findings of one of them.
INSERT INTO headwater.assessment (org, assessed_at, previous_id, records, records_with_issue, grade, weighted, seconds)
SELECT 'demo', now() - (1000 - n) * interval '8 hours', nullif(n - 1, 0), {records}, {records} / 4, 0.75 + n / 10000.0, 0.8 + n / 10000.0, 90
  FROM generate_series(1, 1000) AS n;
INSERT INTO headwater.assessed_object (assessment_id, object, records, records_with_issue, grade, weighted, suite, validation)
SELECT a, object, {records} / 4, {records} / 16, 0.75, 0.8, '{{"name": "Contact", "expectations": []}}', '{{"success": false, "results": []}}'
  FROM generate_series(1, 1000) AS a, names WHERE n < 5;
INSERT INTO headwater.issue (assessment_id, check_id, object, title, why, category, severity, verdict, records, failing, share, max_share, previous_failing, appeared)
SELECT a, 'check_' || c, (SELECT object FROM names WHERE n = c % 4 + 1), 'Issue number ' || c, 'It matters to somebody',
       (ARRAY['Low quality data', 'Duplicates', 'Incomplete', 'Invalid', 'Stale', 'Orphaned'])[c % 6 + 1],
       (ARRAY['info', 'warning', 'error', 'critical'])[c % 4 + 1], CASE WHEN c % 3 = 0 THEN 'failed' ELSE 'passed' END,
       {records}, CASE WHEN c = 1 THEN {findings} ELSE c * 100 + a % 7 END, 0.1, 0.05, c * 100, c % 5
  FROM generate_series(1, 1000) AS a, generate_series(1, 72) AS c;
INSERT INTO headwater.finding
SELECT 'demo', 'check_1', 'Contact', '003' || lpad((n * 2)::text, 12, '0') || 'AAA', 1 + n % 1000, CASE WHEN n % 10 = 0 THEN 1000 END
  FROM generate_series(1, {findings}) AS n;
INSERT INTO headwater.finding
SELECT 'demo', 'check_' || c, 'Contact', '003' || lpad((n * 7)::text, 12, '0') || 'AAA', 1 + n % 1000, NULL
  FROM generate_series(2, 72) AS c, generate_series(1, 500) AS n;

-- Deliveries: a push that was refused by its platform, {fifth} times.
INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook, fast_fail, batch_size, resend,
                                max_failed_share, selected, unchanged, delivered, rejected, selected_at, settled_at)
SELECT run_id, org, subject, 'Contact', 'webhook', run_id::text, 'changed', false, false, 500, false, 1, 500, 0, 400, 100,
       started_at, ended_at
  FROM headwater.run WHERE kind = 'push';
INSERT INTO headwater.outcome (run_id, record_id, outcome, cause)
SELECT 40 * (1 + n % 250), '003' || lpad(n::text, 12, '0') || 'AAA',
       CASE WHEN n % 5 = 0 THEN 'rejected' ELSE 'delivered' END, '' FROM generate_series(1, {fifth}) AS n;
INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause, message, retryable, attempts,
                                  first_run_id, last_run_id, first_at, last_at, next_try_at, settled_at)
SELECT 'demo', 'push_' || n % 5, 'webhook', 'Contact', '003' || lpad(n::text, 12, '0') || 'AAA',
       CASE WHEN n % 100 = 0 THEN 'unknown' ELSE 'rejected' END, 'http_' || 400 + n % 10, 'The platform refused it.', n % 3 = 0, 1 + n % 9,
       40, 40, now() - n * interval '20 seconds', now() - n * interval '10 seconds', CASE WHEN n % 3 = 0 THEN now() END,
       CASE WHEN n % 4 = 0 THEN now() END
  FROM generate_series(1, {fifth}) AS n;
INSERT INTO headwater.sync_error_event (error_id, run_id, what) SELECT error_id, 40, 'failed' FROM headwater.sync_error WHERE error_id <= 1000;
INSERT INTO headwater.outbox (event_key, push, record_id, run_id, request, event_name, event_at, state)
SELECT 'k' || n, 'push_1', '003' || lpad(n::text, 12, '0') || 'AAA', 40, 1, 'changed', now(), 'delivered' FROM generate_series(1, {fifth}) AS n;
ANALYZE;
