-- A large window is read in several slices, each by a Bulk job of its own. The row of the whole window, and that of a slice
-- whose job took the org too long, is `split`: its parts stand in rows of their own. The cursor moves with the last of them.
ALTER TABLE headwater.slice
    DROP CONSTRAINT slice_state_check,
    ADD CONSTRAINT slice_state_check CHECK (state IN ('open', 'split', 'done', 'abandoned')),
    ADD COLUMN root_id     bigint,                    -- the slice of the whole window; null: it is that itself
    ADD COLUMN parent_id   bigint,                    -- the slice that it is a part of
    ADD COLUMN halvings    integer NOT NULL DEFAULT 0,
    ADD COLUMN id_from     text NOT NULL DEFAULT '',  -- its own bounds, in Ids or in stamps; empty: those of the window
    ADD COLUMN id_below    text NOT NULL DEFAULT '',
    ADD COLUMN stamp_from  timestamptz,
    ADD COLUMN stamp_below timestamptz;
CREATE INDEX slice_root ON headwater.slice (root_id) WHERE root_id IS NOT NULL;
