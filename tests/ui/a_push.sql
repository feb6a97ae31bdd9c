-- One push of the org in a_working_org.sql whose last run goes on: what waits, what did not arrive, what is refused.
INSERT INTO headwater.run (run_id, kind, org, subject, dag_id, dag_run_id, task_id, run_type, state, message, started_at, ended_at)
OVERRIDING SYSTEM VALUE VALUES
  (60, 'push', 'demo', 'people', 'push_people', 'scheduled__2026-03-01T09:00:00+00:00', 'deliver', 'scheduled', 'success', '',
   '2026-03-01T09:00:00Z', '2026-03-01T09:00:30Z'),
  (61, 'push', 'demo', 'people', 'push_people', 'scheduled__2026-03-01T10:00:00+00:00', 'deliver', 'scheduled', 'running', '',
   '2026-03-01T10:00:00Z', NULL);
INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook, fast_fail, batch_size, resend,
  max_failed_share, selected, unchanged, delivered, accepted, rejected, skipped, selected_at, settled_at, still_skipped) VALUES
  (60, 'demo', 'people', 'Contact', 'klaviyo', 'k60', 'changed', false, false, 100, false, 1, 4, 1, 3, 0, 0, 0,
   '2026-03-01T09:00:01Z', '2026-03-01T09:00:30Z', 0),
  (61, 'demo', 'people', 'Contact', 'klaviyo', 'k61', 'changed', false, false, 100, false, 1, 12, 1, 5, 1, 2, 3,
   '2026-03-01T10:00:01Z', NULL, 2);
INSERT INTO headwater.push_request (run_id, number, records, events, state, sent_at) VALUES
  (61, 1, 5, 2, 'answered', now()), (61, 2, 2, 1, 'sent', now()), (61, 3, 1, 0, 'written', NULL);
INSERT INTO headwater.outcome (run_id, record_id, outcome, cause, message, at)
SELECT 61, '003' || lpad(n::text, 12, '0') || 'AAA', 'delivered', '', '', '2026-03-01T10:00:02Z'
  FROM generate_series(1, 5) AS n;
INSERT INTO headwater.outcome (run_id, record_id, outcome, cause, message, at) VALUES
  (61, '003000000000006AAA', 'rejected', 'invalid_email', 'The platform takes no such address', '2026-03-01T10:00:03Z'),
  (61, '003000000000007AAA', 'rejected', 'server_error', 'The platform failed', '2026-03-01T10:00:03Z'),
  (61, '003000000000008AAA', 'skipped', 'no_consent', '', '2026-03-01T10:00:03Z'),
  (61, '003000000000009AAA', 'accepted', '', '', '2026-03-01T10:00:03Z'),
  (61, 'anna@example.test', 'held', 'stopped', '', '2026-03-01T10:00:04Z'),
  (61, 'bert@example.test', 'held', 'stopped', '', '2026-03-01T10:00:04Z'),
  (61, 'cleo@example.test', 'held', 'stopped', '', '2026-03-01T10:00:04Z');
INSERT INTO headwater.accepted (run_id, record_id, push, job, place) VALUES (61, '003000000000009AAA', 'people', 'j1', 0);
INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause, message, retryable, first_run_id,
  last_run_id, first_at, last_at, next_try_at) VALUES
  ('demo', 'people', 'klaviyo', 'Contact', '003000000000006AAA', 'rejected', 'invalid_email', 'The platform takes no such address',
   false, 61, 61, '2026-03-01T10:00:03Z', '2026-03-01T10:00:03Z', NULL),
  ('demo', 'people', 'klaviyo', 'Contact', '003000000000007AAA', 'rejected', 'server_error', 'The platform failed',
   true, 61, 61, '2026-03-01T10:00:03Z', '2026-03-01T10:00:03Z', '2026-03-01T10:01:03Z');
INSERT INTO headwater.sync_error_event (error_id, at, run_id, what, cause, message)
SELECT error_id, last_at, last_run_id, 'failed', cause, message FROM headwater.sync_error WHERE push = 'people';
INSERT INTO headwater.circuit (connection, access, reason, opened_by, opened_at, probe_at) VALUES
  ('braze_demo', 'x', 'the key is refused', 'people', '2026-03-01T10:00:00Z', '2026-03-01T10:15:00Z');
INSERT INTO headwater.pace (connection, lane, next_at, slow_until, slow_seconds) VALUES
  ('klaviyo_demo', '', now() + interval '50 seconds', now() + interval '1 hour', 1), ('klaviyo_demo', 'events', '-infinity', NULL, 0);
INSERT INTO headwater.notification (notification_id, org, key, event, title, message, path, raised_at, resolved_at)
OVERRIDING SYSTEM VALUE VALUES
  (1, 'demo', 'run:1', 'run_failed', 'A run failed', 'No such column', '/headwater/extracts?org=demo', '2026-03-01T10:00:00Z', NULL),
  (2, 'demo', 'run:2', 'run_failed', 'Another run failed', '', '', '2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z');
INSERT INTO headwater.notification_delivery (notification_id, channel, all_clear, state, tries, cause, written_at, sent_at) VALUES
  (1, 'webhook pager', false, 'waiting', 2, 'it does not answer', '2026-03-01T10:00:00Z', NULL),
  (2, 'webhook pager', false, 'sent', 1, '', '2026-03-01T11:00:00Z', '2026-03-01T11:00:01Z');
