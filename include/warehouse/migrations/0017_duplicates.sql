-- Records that are one and the same: by which keys they are compared, which pairs were found, and what they make together.

-- What is kept of an object to compare its records by: a table `headwater.match_keys_<set_id>` with a row for each live
-- record, filled by triggers on the object's table in the transaction that changes it (docs/duplicates.md).
CREATE TABLE headwater.match_set (
    set_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org         text NOT NULL,
    object      text NOT NULL,
    version     text NOT NULL DEFAULT '',      -- hash of what the keys are made of; another one: they are made anew
    rules       text NOT NULL DEFAULT '',      -- hash of the rules that the pairs were found by; another one: all are looked at
    state       bigint NOT NULL DEFAULT 0,     -- grows whenever a pair of the object came or went
    built_at    timestamptz,                   -- null: the keys must be made
    matched_at  timestamptz,                   -- null: every record must be compared
    UNIQUE (org, object)
);

-- Blocks of so many records with one key that the key says nothing: they are not compared.
CREATE TABLE headwater.match_crowd (
    set_id      integer NOT NULL REFERENCES headwater.match_set ON DELETE CASCADE,
    block       text NOT NULL,
    key         bigint NOT NULL,
    PRIMARY KEY (set_id, block, key)
);

-- Two records of an object that are one, and by which rule: two rules that say so are two rows. No value of a record.
CREATE TABLE headwater.duplicate_pair (
    org         text NOT NULL,
    object      text NOT NULL,
    left_id     text NOT NULL,
    right_id    text NOT NULL,
    rule        text NOT NULL,                 -- email, phone … ; of another source its own name
    source      text NOT NULL DEFAULT 'rules', -- who found it; each source replaces its own pairs only
    score       real NOT NULL CHECK (score BETWEEN 0 AND 1),
    found_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, object, left_id, right_id, rule),
    CHECK (left_id COLLATE "C" < right_id COLLATE "C")
);
CREATE INDEX duplicate_pair_right ON headwater.duplicate_pair (org, object, right_id);
CREATE INDEX duplicate_pair_rule ON headwater.duplicate_pair (org, object, rule, left_id);

-- A record of one object that is one of another: a lead who is a contact already.
CREATE TABLE headwater.duplicate_link (
    org          text NOT NULL,
    object       text NOT NULL,
    record_id    text NOT NULL,
    other_object text NOT NULL,
    other_id     text NOT NULL,
    rule         text NOT NULL,
    score        real NOT NULL CHECK (score BETWEEN 0 AND 1),
    found_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, object, record_id, other_object, other_id, rule)
);
CREATE INDEX duplicate_link_other ON headwater.duplicate_link (org, other_object, other_id);

-- All records that pairs connect. Its number stays while it grows and shrinks, and is never given twice.
CREATE TABLE headwater.duplicate_cluster (
    cluster_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org         text NOT NULL,
    object      text NOT NULL,
    members     integer NOT NULL,              -- now; of one that ended: 0
    score       real NOT NULL DEFAULT 0,       -- the weakest of the best pairs of its members
    made_at     timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,                   -- null: it is there
    merged_into bigint REFERENCES headwater.duplicate_cluster  -- which one took its members
);
CREATE INDEX duplicate_cluster_open ON headwater.duplicate_cluster (org, object, members DESC, cluster_id)
    WHERE ended_at IS NULL;

CREATE TABLE headwater.duplicate_member (
    org         text NOT NULL,
    object      text NOT NULL,
    record_id   text NOT NULL,
    cluster_id  bigint NOT NULL REFERENCES headwater.duplicate_cluster,
    joined_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, object, record_id)
);
CREATE INDEX duplicate_member_of ON headwater.duplicate_member (cluster_id, record_id);

-- What happened to a cluster after it was made.
CREATE TABLE headwater.duplicate_change (
    change_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id  bigint NOT NULL REFERENCES headwater.duplicate_cluster ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT now(),
    what        text NOT NULL CHECK (what IN ('joined', 'left', 'merged', 'split', 'ended')),
    record_id   text,                          -- of joined and left
    other_id    bigint                         -- of merged: the cluster that took it; of split: the one that was made of a part
);
CREATE INDEX duplicate_change_of ON headwater.duplicate_change (cluster_id, change_id);

-- One line for each time that an object's records were compared.
CREATE TABLE headwater.duplicate_pass (
    pass_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org         text NOT NULL,
    object      text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    seconds     double precision NOT NULL,
    whole       boolean NOT NULL,              -- every record was compared
    changed     bigint NOT NULL,               -- records whose keys had changed; of a whole pass all of them
    found       bigint NOT NULL,               -- pairs that came
    lost        bigint NOT NULL,               -- pairs that went
    skipped     jsonb NOT NULL DEFAULT '{}'    -- rules that could not be used, with the reason
);
CREATE INDEX duplicate_pass_recent ON headwater.duplicate_pass (org, object, pass_id DESC);
