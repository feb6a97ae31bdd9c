-- What a check was judged on, so that a table that did not change is not scanned again.

ALTER TABLE headwater.issue ADD COLUMN basis text NOT NULL DEFAULT '';  -- hash of the definition, the data, the day
ALTER TABLE headwater.issue ADD COLUMN judged_by bigint;                -- the assessment that judged it; null: this one

-- What was found of a check whose verdict no longer depends on a count of records (docs/checks.md).
COMMENT ON COLUMN headwater.issue.reason IS 'of not_assessed: what is missing; of a check of the whole object: what was seen';

CREATE INDEX finding_open ON headwater.finding (org, check_id, record_id) WHERE mended_by IS NULL;
