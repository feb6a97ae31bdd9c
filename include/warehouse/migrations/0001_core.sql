-- What Headwater knows about orgs, runs, cursors, loads and calls.
-- Times are timestamptz; names of objects and fields are Salesforce's API names.

CREATE TABLE headwater.org (
    org           text PRIMARY KEY,          -- the name in the definition
    org_id        text NOT NULL,             -- 18 characters, pinned at first contact
    instance_url  text NOT NULL,
    name          text NOT NULL DEFAULT '',
    is_sandbox    boolean,
    pinned_at     timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE headwater.run (
    run_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('extract', 'health', 'push')),
    org           text NOT NULL,
    subject       text NOT NULL,             -- the object, 'assessment', or the push's name
    dag_id        text NOT NULL DEFAULT '',
    dag_run_id    text NOT NULL DEFAULT '',
    task_id       text NOT NULL DEFAULT '',
    try_number    integer NOT NULL DEFAULT 0,
    run_type      text NOT NULL DEFAULT '',
    state         text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'success', 'skipped', 'degraded', 'failed')),
    message       text NOT NULL DEFAULT '',
    started_at    timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz
);
CREATE INDEX run_recent ON headwater.run (kind, org, subject, run_id DESC);
CREATE INDEX run_airflow ON headwater.run (dag_id, dag_run_id);

CREATE TABLE headwater.object (
    org             text NOT NULL,
    object          text NOT NULL,
    label           text NOT NULL DEFAULT '',
    key_prefix      text,
    cursor_field    text NOT NULL DEFAULT 'SystemModstamp',
    cursor_at       timestamptz,             -- read safely up to here (excluded); null: never read
    first_loaded_at timestamptz,             -- null: the first load is not complete, nothing is pushed from it
    last_modified   text,                    -- Last-Modified header of the describe
    described_at    timestamptz,
    PRIMARY KEY (org, object)
);

CREATE TABLE headwater.field (
    org          text NOT NULL,
    object       text NOT NULL,
    position     integer NOT NULL,
    name         text NOT NULL,
    label        text NOT NULL,
    type         text NOT NULL,
    length       integer NOT NULL DEFAULT 0,
    precision    integer NOT NULL DEFAULT 0,
    scale        integer NOT NULL DEFAULT 0,
    nillable     boolean NOT NULL DEFAULT true,
    calculated   boolean NOT NULL DEFAULT false,
    custom       boolean NOT NULL DEFAULT false,
    filterable   boolean NOT NULL DEFAULT true,
    compound     text,
    reference_to text[] NOT NULL DEFAULT '{}',
    picklist     text[] NOT NULL DEFAULT '{}',
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    gone_at      timestamptz,                -- the org no longer describes it; its column is kept
    PRIMARY KEY (org, object, name)
);

-- One line per object and run: what was read, what became of it, and how we compare with the org afterwards.
CREATE TABLE headwater.extract (
    run_id      bigint PRIMARY KEY REFERENCES headwater.run ON DELETE CASCADE,
    org         text NOT NULL,
    object      text NOT NULL,
    mode        text NOT NULL CHECK (mode IN ('changes', 'last_day', 'interval', 'full')),
    low         timestamptz,                 -- null: from the beginning
    high        timestamptz NOT NULL,
    plan        text NOT NULL DEFAULT '',    -- rest | bulk | idle
    rows_read   bigint NOT NULL DEFAULT 0,
    inserted    bigint NOT NULL DEFAULT 0,
    updated     bigint NOT NULL DEFAULT 0,
    unchanged   bigint NOT NULL DEFAULT 0,
    deleted     bigint NOT NULL DEFAULT 0,
    rejected    bigint NOT NULL DEFAULT 0,
    nul_removed bigint NOT NULL DEFAULT 0,
    committed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX extract_recent ON headwater.extract (org, object, run_id DESC);

-- Rows here against rows in the org: records with CreatedDate < as_of that are not deleted.
CREATE TABLE headwater.certificate (
    certificate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id      bigint REFERENCES headwater.run ON DELETE SET NULL,
    org         text NOT NULL,
    object      text NOT NULL,
    here        bigint NOT NULL,
    in_org      bigint NOT NULL,
    difference  bigint NOT NULL,             -- in_org - here
    as_of       timestamptz NOT NULL,
    note        text NOT NULL DEFAULT '',    -- what happened after as_of and explains a difference
    written_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX certificate_recent ON headwater.certificate (org, object, certificate_id DESC);

-- The probe's answer: what the first composite call of a run found, and the small changes that came with it.
CREATE TABLE headwater.probe (
    org         text NOT NULL,
    dag_id      text NOT NULL,
    dag_run_id  text NOT NULL,
    object      text NOT NULL,
    mode        text NOT NULL,
    low         timestamptz,
    high        timestamptz NOT NULL,
    soql        text NOT NULL,
    total       bigint NOT NULL,
    page        bytea,                       -- the records as CSV, when the first page held them all; gone once loaded
    problem     text NOT NULL DEFAULT '',    -- the org's answer when the query failed; the object's own task deals with it
    probed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, dag_id, dag_run_id, object)
);

-- A part of a large load: committed with its rows, so that a run that was killed goes on where it was.
CREATE TABLE headwater.slice (
    slice_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id      bigint NOT NULL REFERENCES headwater.run ON DELETE CASCADE,
    org         text NOT NULL,
    object      text NOT NULL,
    mode        text NOT NULL,
    low         timestamptz,
    high        timestamptz NOT NULL,
    soql        text NOT NULL,
    job_id      text NOT NULL DEFAULT '',    -- Bulk API 2.0 query job, once created
    locator     text NOT NULL DEFAULT '',    -- the next result page; '' is the first
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'abandoned')),
    straight    boolean NOT NULL DEFAULT false, -- its pages go straight into the table, which was empty when it began
    rows_loaded bigint NOT NULL DEFAULT 0,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz
);
CREATE INDEX slice_open ON headwater.slice (org, object) WHERE state = 'open';

CREATE TABLE headwater.reject (
    reject_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id      bigint NOT NULL REFERENCES headwater.run ON DELETE CASCADE,
    org         text NOT NULL,
    object      text NOT NULL,
    record_id   text NOT NULL,
    column_name text NOT NULL DEFAULT '',
    cause       text NOT NULL,               -- PostgreSQL's SQLSTATE and its words, without the value
    source      jsonb NOT NULL,              -- the row as it came, every value as text
    rejected_at timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz                  -- a later load took the record
);
CREATE INDEX reject_open ON headwater.reject (org, object) WHERE settled_at IS NULL;

-- API calls by the hour, the purpose and the object; not a row per call.
CREATE TABLE headwater.api_call (
    org     text NOT NULL,
    hour    timestamptz NOT NULL,
    purpose text NOT NULL,
    object  text NOT NULL DEFAULT '',
    run     text NOT NULL DEFAULT '',        -- Airflow's dag_run_id, or ''
    calls   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org, hour, purpose, object, run)
);

CREATE TABLE headwater.api_limit (
    org         text PRIMARY KEY,
    used        bigint NOT NULL,
    allowed     bigint NOT NULL,
    observed_at timestamptz NOT NULL DEFAULT now()
);

-- Sessions shared by tasks; the text is encrypted by the caller (Airflow's Fernet key).
CREATE TABLE headwater.session (
    key        text PRIMARY KEY,
    token      text NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now()
);
