-- What the health assessments found. An assessment is written in one transaction: what can be read is complete.

CREATE TABLE headwater.assessment (
    assessment_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id             bigint REFERENCES headwater.run ON DELETE SET NULL,
    org                text NOT NULL,
    assessed_at        timestamptz NOT NULL,   -- the "now" that the checks used
    previous_id        bigint,                 -- the org's assessment before this one; null: the first
    records            bigint NOT NULL,        -- live records of the assessed objects
    records_with_issue bigint NOT NULL,        -- each counted once
    grade              double precision,       -- share of records without any issue; null: no records
    seconds            double precision NOT NULL DEFAULT 0
);
CREATE INDEX assessment_recent ON headwater.assessment (org, assessment_id DESC);

-- One line per object that at least one check was assessed on, with Great Expectations' own JSON (no sample values in it).
CREATE TABLE headwater.assessed_object (
    assessment_id      bigint NOT NULL REFERENCES headwater.assessment ON DELETE CASCADE,
    object             text NOT NULL,
    records            bigint NOT NULL,
    records_with_issue bigint NOT NULL,
    grade              double precision,
    suite              jsonb NOT NULL,         -- an ExpectationSuite
    validation         jsonb NOT NULL,         -- its ExpectationSuiteValidationResult
    PRIMARY KEY (assessment_id, object)
);

-- One line per check and assessment. Title, severity and threshold are those of then, not of today's definition.
CREATE TABLE headwater.issue (
    assessment_id    bigint NOT NULL REFERENCES headwater.assessment ON DELETE CASCADE,
    check_id         text NOT NULL,
    object           text NOT NULL,
    title            text NOT NULL,
    why              text NOT NULL,
    category         text NOT NULL,
    severity         text NOT NULL CHECK (severity IN ('info', 'warning', 'error', 'critical')),
    verdict          text NOT NULL CHECK (verdict IN ('passed', 'failed', 'not_assessed')),
    reason           text NOT NULL DEFAULT '', -- of not_assessed: what is missing and what to add where
    records          bigint NOT NULL DEFAULT 0,
    failing          bigint NOT NULL DEFAULT 0,
    share            double precision NOT NULL DEFAULT 0,   -- failing / records
    max_share        double precision NOT NULL,             -- a greater share fails the check
    previous_failing bigint,                   -- of the assessment before; null: it was not assessed then
    appeared         bigint NOT NULL DEFAULT 0, -- findings that this assessment saw first
    mended           bigint NOT NULL DEFAULT 0, -- findings of before that are gone
    fix              text NOT NULL DEFAULT '',
    PRIMARY KEY (assessment_id, check_id)
);

-- One failing record of one check, from the assessment that saw it first (included) to the one that no longer did
-- (excluded). So the failing Ids of any assessment can be read again, and an unchanged record costs no new row.
CREATE TABLE headwater.finding (
    org       text NOT NULL,
    check_id  text NOT NULL,
    object    text NOT NULL,
    record_id text NOT NULL,
    found_by  bigint NOT NULL,
    mended_by bigint,                          -- null: open
    PRIMARY KEY (org, check_id, record_id, found_by)
);
