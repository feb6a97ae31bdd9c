-- What changed in an org's metadata, as two describes that followed each other tell it.
CREATE TABLE headwater.schema_change (
    change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org        text NOT NULL,
    object     text NOT NULL,
    field      text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('added', 'removed', 'returned', 'type', 'length', 'label', 'picklist', 'formula')),
    before     text NOT NULL DEFAULT '',
    after      text NOT NULL DEFAULT '',
    seen_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schema_change_recent ON headwater.schema_change (org, change_id DESC);
