-- From a prepared profile to its settled outcome: pace, circuit, what is settled later, and the retry queue.

-- One line for each lane of a connection's platform: when the next request may be made. Requests are reserved ahead, in
-- blocks; who reserves holds no lock while it waits, and what a killed process reserved passes by itself.
CREATE TABLE headwater.pace (
    connection  text NOT NULL,
    lane        text NOT NULL,               -- calls that the platform limits apart; '': all others
    next_at     timestamptz NOT NULL DEFAULT '-infinity',  -- the first moment that is not reserved yet
    slow_until  timestamptz,                 -- until then the platform's own count rules: `slow_seconds` between requests
    slow_seconds double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (connection, lane)
);

-- A connection whose credentials the platform refused: until it is closed no push over it makes a request.
CREATE TABLE headwater.circuit (
    connection  text PRIMARY KEY,
    access      bytea NOT NULL,              -- hash of host, login and secret: a changed connection closes it
    reason      text NOT NULL,
    opened_by   text NOT NULL DEFAULT '',    -- the push that met the refusal
    opened_at   timestamptz NOT NULL DEFAULT now(),
    probe_at    timestamptz NOT NULL,        -- from then on one delivery may try whether it is still refused
    refusals    integer NOT NULL DEFAULT 1
);

-- What a platform took for later: one line per record until its job tells.
CREATE TABLE headwater.accepted (
    run_id      bigint NOT NULL,
    record_id   text NOT NULL,
    push        text NOT NULL,
    job         text NOT NULL,               -- the platform's own name of it
    place       integer NOT NULL,            -- of the record in the job
    event_keys  text[] NOT NULL DEFAULT '{}',
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, record_id)
);
CREATE INDEX accepted_push ON headwater.accepted (push, job);

-- By what the platform knows a record: a changed identifier must not make a second profile.
ALTER TABLE headwater.sent ADD COLUMN identifiers jsonb;          -- as they were when the record was last acknowledged
ALTER TABLE headwater.sent ADD COLUMN platform_id text NOT NULL DEFAULT '';
ALTER TABLE headwater.sent ALTER COLUMN row_hash DROP NOT NULL;       -- null: nobody knows what the platform holds

-- Refused or skipped before and the same since: counted, not tried. `waiting`: tried again by itself, but later.
ALTER TABLE headwater.push_run ADD COLUMN still_rejected bigint NOT NULL DEFAULT 0;
ALTER TABLE headwater.push_run ADD COLUMN still_skipped bigint NOT NULL DEFAULT 0;
ALTER TABLE headwater.push_run ADD COLUMN waiting bigint NOT NULL DEFAULT 0;
ALTER TABLE headwater.push_run ADD COLUMN min_delivered bigint NOT NULL DEFAULT 0;

-- The retry queue. A record goes again when `next_try_at` is past, or when its source is no longer what `row_hash` says.
ALTER TABLE headwater.sync_error ADD COLUMN next_try_at timestamptz;  -- null: not by itself
ALTER TABLE headwater.sync_error ADD COLUMN row_hash bigint;          -- of the mapped source columns as they failed
ALTER TABLE headwater.sync_error ADD COLUMN asked_by text NOT NULL DEFAULT '';  -- who wants it tried again
CREATE INDEX sync_error_due ON headwater.sync_error (push, next_try_at) WHERE settled_at IS NULL;
CREATE INDEX sync_error_record ON headwater.sync_error (push, record_id);
UPDATE headwater.sync_error SET next_try_at = now() WHERE retryable AND settled_at IS NULL AND outcome = 'rejected';

-- What happened to each error: every failure, every wish of a person, how it ended.
CREATE TABLE headwater.sync_error_event (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    error_id    bigint NOT NULL REFERENCES headwater.sync_error ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT now(),
    run_id      bigint,                      -- in which run; null: a person did it
    what        text NOT NULL CHECK (what IN ('failed', 'asked', 'settled')),
    who         text NOT NULL DEFAULT '',
    cause       text NOT NULL DEFAULT '',
    message     text NOT NULL DEFAULT ''
);
CREATE INDEX sync_error_event_of ON headwater.sync_error_event (error_id, event_id);
INSERT INTO headwater.sync_error_event (error_id, at, run_id, what, cause, message)
    SELECT error_id, last_at, last_run_id, 'failed', cause, message FROM headwater.sync_error;

-- An event is settled in its page: no index knows its state, and each page leaves room for it.
DROP INDEX headwater.outbox_open;
DROP INDEX headwater.outbox_settled;
ALTER TABLE headwater.outbox SET (fillfactor = 55);
CREATE INDEX outbox_request ON headwater.outbox (run_id, request);
CREATE INDEX outbox_written ON headwater.outbox USING brin (written_at);
CREATE INDEX push_request_open ON headwater.push_request (run_id) WHERE state IN ('written', 'sent');

-- Where a request's records stand in the selection: what a lost one may have changed at the platform.
ALTER TABLE headwater.push_request ADD COLUMN first_ordinal bigint NOT NULL DEFAULT 0;
ALTER TABLE headwater.push_request ADD COLUMN last_ordinal bigint NOT NULL DEFAULT 0;
