-- What the org's policy made of each change of its metadata, which fields are kept out, and which lack old values.
ALTER TABLE headwater.schema_change
    ADD COLUMN class       text NOT NULL DEFAULT '',  -- the key of `schema_changes` that ruled it; '' before there was one
    ADD COLUMN policy      text NOT NULL DEFAULT 'evolve' CHECK (policy IN ('evolve', 'freeze', 'fail')),
    ADD COLUMN state       text NOT NULL DEFAULT 'followed'
                           CHECK (state IN ('followed', 'frozen', 'failed', 'overtaken')),
    ADD COLUMN note        text NOT NULL DEFAULT '',  -- what became of the column
    ADD COLUMN accepted_at timestamptz,               -- a person accepted what the policy holds back
    ADD COLUMN accepted_by text NOT NULL DEFAULT '',
    ADD COLUMN settled_at  timestamptz;               -- when what had been held back was followed or overtaken
CREATE UNIQUE INDEX schema_change_open ON headwater.schema_change (org, object, field, kind)
    WHERE state IN ('frozen', 'failed');

ALTER TABLE headwater.field
    ADD COLUMN held_at        timestamptz,            -- described, and not read: its change waits for a person
    ADD COLUMN unfilled_since timestamptz;            -- its column lacks the values of records that were here before it

ALTER TABLE headwater.object
    ADD COLUMN deletions_at timestamptz;              -- the org has told every deletion up to here; null: never asked
