-- What is known of signing in while there is no session to share.

ALTER TABLE headwater.session ADD COLUMN sent_at timestamptz;    -- a one-time token went out then; null: its answer is stored
ALTER TABLE headwater.session ADD COLUMN refused_at timestamptz; -- refused since then, without a session in between

-- Nightly housekeeping looks for what is old; the larger ledgers are asked by time.
CREATE INDEX run_started ON headwater.run (started_at);
CREATE INDEX outcome_at ON headwater.outcome (at);
CREATE INDEX outbox_settled ON headwater.outbox (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX finding_mended ON headwater.finding (org, mended_by) WHERE mended_by IS NOT NULL;
