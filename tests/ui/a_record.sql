-- One contact of the org in a_working_org.sql: its row, two findings, an outcome, an error; markup in its name.
UPDATE headwater.object SET key_prefix = '003' WHERE object = 'Contact';
INSERT INTO headwater.object (org, object, described_at) VALUES ('demo', 'Account', now());
INSERT INTO headwater.field (org, object, position, name, label, type, reference_to) VALUES
  ('demo', 'Contact', 0, 'Id', 'Contact ID', 'id', '{}'),
  ('demo', 'Contact', 1, 'IsDeleted', 'Deleted', 'boolean', '{}'),
  ('demo', 'Contact', 2, 'LastName', 'Last Name', 'string', '{}'),
  ('demo', 'Contact', 3, 'Email', 'E-mail <b>work</b>', 'email', '{}'),
  ('demo', 'Contact', 4, 'AccountId', 'Account ID', 'reference', '{Account}'),
  ('demo', 'Contact', 5, 'Birthdate', 'Birthdate', 'date', '{}'),
  ('demo', 'Contact', 6, 'Last_Visit__c', 'Last visit', 'datetime', '{}'),
  ('demo', 'Contact', 7, 'Score__c', 'Score', 'double', '{}'),
  ('demo', 'Contact', 8, 'MasterRecordId', 'Master', 'reference', '{Contact}'),
  ('demo', 'Contact', 9, 'SystemModstamp', 'System Modstamp', 'datetime', '{}');
CREATE SCHEMA salesforce_demo;
CREATE TABLE salesforce_demo."Contact" (
  "Id" text PRIMARY KEY, "IsDeleted" boolean, "LastName" text, "Email" text, "AccountId" text, "Birthdate" date,
  "Last_Visit__c" timestamptz, "Score__c" numeric, "MasterRecordId" text, "SystemModstamp" timestamptz,
  _loaded_at timestamptz NOT NULL DEFAULT now(), _run_id bigint, _deleted_at timestamptz);
INSERT INTO salesforce_demo."Contact" VALUES
  ('003D000000QV9nlIAD', false, '<script>alert("contact")</script>', NULL, '001D000000QV9nlIAD', '1980-05-06',
   '2025-12-24T18:30:00Z', 12.5, NULL, '2026-03-01T09:59:00Z', '2026-03-01T10:00:04Z', 2, NULL),
  ('003000000000001AAA', true, 'Loser', 'loser@example.com', NULL, NULL, NULL, NULL, '003D000000QV9nlIAD',
   '2026-03-01T09:58:00Z', '2026-03-01T10:00:04Z', 2, '2026-03-01T10:00:04Z'),
  ('003000000000002AAA', true, 'Gone', NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01T09:58:00Z',
   '2026-03-01T10:00:04Z', 77, '2026-03-01T10:00:04Z');
INSERT INTO headwater.finding (org, check_id, object, record_id, found_by, mended_by) VALUES
  ('demo', 'email_missing', 'Contact', '003D000000QV9nlIAD', 1, NULL),
  ('demo', 'phone_bad', 'Contact', '003D000000QV9nlIAD', 1, 2);
INSERT INTO headwater.run (run_id, kind, org, subject, dag_id, dag_run_id, state) OVERRIDING SYSTEM VALUE VALUES
  (50, 'push', 'demo', 'contacts', 'push_contacts', 'manual__1', 'degraded'),
  (51, 'push', 'demo', 'contacts', 'push_contacts', 'manual__2', 'success');
INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook, fast_fail, batch_size,
                                resend, max_failed_share, selected, unchanged, delivered, rejected, selected_at, settled_at)
VALUES
  (50, 'demo', 'contacts', 'Contact', 'insider_one', 'k', 'changed', false, false, 100, false, 1, 12, 2, 9, 1,
   now() - interval '3 hours', now() - interval '3 hours'),
  (51, 'demo', 'contacts', 'Contact', 'insider_one', 'l', 'changed', false, false, 100, false, 1, 5, 4, 1, 0,
   now() - interval '30 hours', now() - interval '29 hours');
INSERT INTO headwater.outcome (run_id, record_id, outcome, cause, message) VALUES
  (50, '003D000000QV9nlIAD', 'rejected', 'no_identifier', 'It has no <i>e-mail</i>'),
  (51, '003D000000QV9nlIAD', 'delivered', '', '');
INSERT INTO headwater.sync_error (error_id, org, push, platform, object, record_id, outcome, cause, message,
                                  first_run_id, last_run_id)
OVERRIDING SYSTEM VALUE VALUES
  (7, 'demo', 'contacts', 'insider_one', 'Contact', '003D000000QV9nlIAD', 'rejected', 'no_identifier',
   'It has no <i>e-mail</i>', 50, 50);
