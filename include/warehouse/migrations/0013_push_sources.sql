-- What a push selects besides what changed: records that are gone; and what a run looked like when it was selected.

-- What is to be done to the record's profile. `keep`: it is gone, but another record is the same person over there.
ALTER TABLE headwater.selection ADD COLUMN action text NOT NULL DEFAULT 'upsert'
    CHECK (action IN ('upsert', 'clear', 'archive', 'delete', 'keep'));

ALTER TABLE headwater.push_run
    ADD COLUMN to_send bigint,                        -- as selected; null: before this was kept
    ADD COLUMN gone    bigint NOT NULL DEFAULT 0,     -- of them, those that are gone from the source
    ADD COLUMN dry_run boolean NOT NULL DEFAULT false;
UPDATE headwater.push_run SET to_send = selected - unchanged;

-- One salt for each org: hashes of one org's values cannot be compared with those of another's. It never leaves here.
CREATE TABLE headwater.salt (
    org         text PRIMARY KEY,
    salt        bytea NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now()
);
