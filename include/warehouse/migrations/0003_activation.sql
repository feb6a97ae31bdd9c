-- What was selected, written down, sent and answered; and what did not arrive.

CREATE TABLE headwater.push_run (
    run_id      bigint PRIMARY KEY REFERENCES headwater.run ON DELETE CASCADE,
    org         text NOT NULL,
    push        text NOT NULL,
    object      text NOT NULL,
    platform    text NOT NULL,
    run_key     text NOT NULL,               -- names the run in the keys of events that are sent in every run
    mode        text NOT NULL CHECK (mode IN ('changed', 'interval', 'all')),
    low         timestamptz,                 -- of an interval
    high        timestamptz,
    skip_hook   boolean NOT NULL,
    fast_fail   boolean NOT NULL,
    batch_size  integer NOT NULL,
    resend      boolean NOT NULL,
    max_failed_share double precision NOT NULL,
    record_ids  text[] NOT NULL DEFAULT '{}',
    guard       text,                        -- why a person was asked; null: nobody needed to be
    selected    bigint NOT NULL,             -- the input; the seven below sum to it once the run is settled
    unchanged   bigint NOT NULL,             -- a count only: no row of an unchanged record is kept
    delivered   bigint NOT NULL DEFAULT 0,
    accepted    bigint NOT NULL DEFAULT 0,
    skipped     bigint NOT NULL DEFAULT 0,
    rejected    bigint NOT NULL DEFAULT 0,
    unknown     bigint NOT NULL DEFAULT 0,
    held        bigint NOT NULL DEFAULT 0,
    selected_at timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz
);
CREATE INDEX push_run_recent ON headwater.push_run (push, run_id DESC);

-- The records a run has to send: in the end each has one line in headwater.outcome, or is found unchanged and leaves.
-- No foreign keys here and in outcome: checking a million of them costs more than all the rest.
CREATE TABLE headwater.selection (
    run_id      bigint NOT NULL,
    ordinal     bigint NOT NULL,             -- oldest change first, so that the newest is written last
    record_id   text NOT NULL,
    PRIMARY KEY (run_id, ordinal)
);

CREATE TABLE headwater.outcome (
    run_id      bigint NOT NULL,
    record_id   text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('delivered', 'accepted', 'skipped', 'rejected', 'unknown', 'held')),
    cause       text NOT NULL DEFAULT '',
    message     text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, record_id)
);
CREATE INDEX outcome_notable ON headwater.outcome (run_id, outcome, cause) WHERE outcome <> 'delivered';

-- What each record was when it was last settled, and what the platform last acknowledged of it.
CREATE TABLE headwater.sent (
    push        text NOT NULL,
    record_id   text NOT NULL,
    row_hash    bigint NOT NULL,             -- of the mapped source columns: delivered, skipped by a rule or refused for good
    fingerprint bytea,                       -- of the payload that was acknowledged last; null: none ever was
    outcome     text NOT NULL,
    run_id      bigint NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (push, record_id)
);

-- One line per request, written before it is made: after a crash it says whether the request was on its way.
CREATE TABLE headwater.push_request (
    run_id      bigint NOT NULL REFERENCES headwater.push_run ON DELETE CASCADE,
    number      integer NOT NULL,
    records     integer NOT NULL,
    events      integer NOT NULL,
    state       text NOT NULL DEFAULT 'written' CHECK (state IN ('written', 'sent', 'answered', 'lost', 'dropped')),
    written_at  timestamptz NOT NULL DEFAULT now(),
    sent_at     timestamptz,
    ended_at    timestamptz,
    PRIMARY KEY (run_id, number)
);

-- Every event, under the key that lets it be sent at most once. No reference to the run: keys outlive runs.
CREATE TABLE headwater.outbox (
    event_key   text PRIMARY KEY,
    push        text NOT NULL,
    record_id   text NOT NULL,
    run_id      bigint NOT NULL,
    request     integer NOT NULL,            -- number of its headwater.push_request
    event_name  text NOT NULL,
    event_at    timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'delivered', 'accepted', 'refused', 'unknown')),
    written_at  timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz
);
CREATE INDEX outbox_open ON headwater.outbox (push) WHERE state = 'open';

-- Rejected and unknown records, kept with their cause until they are settled.
CREATE TABLE headwater.sync_error (
    error_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org          text NOT NULL,
    push         text NOT NULL,
    platform     text NOT NULL,
    object       text NOT NULL,
    record_id    text NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('rejected', 'unknown')),
    event_key    text NOT NULL DEFAULT '',   -- of the event whose fate is unknown
    cause        text NOT NULL,
    message      text NOT NULL DEFAULT '',
    retryable    boolean NOT NULL DEFAULT false,
    attempts     integer NOT NULL DEFAULT 1,
    first_run_id bigint NOT NULL,
    last_run_id  bigint NOT NULL,
    first_at     timestamptz NOT NULL DEFAULT now(),
    last_at      timestamptz NOT NULL DEFAULT now(),
    settled_at   timestamptz,
    settled_by   text NOT NULL DEFAULT ''    -- 'delivered', 'unchanged', or who settled it
);
CREATE UNIQUE INDEX sync_error_open ON headwater.sync_error (push, record_id, outcome, event_key) WHERE settled_at IS NULL;
CREATE INDEX sync_error_recent ON headwater.sync_error (org, push, error_id DESC);
