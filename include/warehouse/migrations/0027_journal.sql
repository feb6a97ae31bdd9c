-- What was written to an object's table since its health was last assessed, and what the rows said before.

-- Kept by triggers on the object's table, in a table `headwater.journal_<journal_id>` of its own (docs/checks.md).
CREATE TABLE headwater.journal (
    journal_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org         text NOT NULL,
    object      text NOT NULL,
    fields      text[] NOT NULL DEFAULT '{}',  -- those whose old values are kept
    conditions  text[] NOT NULL DEFAULT '{}',  -- live records that meet one are counted, beside all live ones
    version     text NOT NULL DEFAULT '',      -- where the columns of the fields are; '': it must be begun anew
    number      bigint NOT NULL DEFAULT 0,     -- another one: something was written that is not in it
    UNIQUE (org, object)
);

-- By how much a statement changed the counts: all live records, then those of each condition.
CREATE TABLE headwater.journal_count (
    journal_id  integer NOT NULL,
    counts      bigint[] NOT NULL
);
CREATE INDEX journal_count_of ON headwater.journal_count (journal_id);

-- The counts as of the last assessment; lines of journal_count that it saw are in them, and gone.
CREATE TABLE headwater.counted (
    journal_id  integer PRIMARY KEY REFERENCES headwater.journal ON DELETE CASCADE,
    place       text NOT NULL,                 -- which table, and which number of the journal, they were counted of
    counts      bigint[] NOT NULL
);
