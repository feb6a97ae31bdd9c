-- What selects the records of an object besides the window (the SOQL of its filter, or of a query of the definition):
-- when it changes, everything is read again. And the ranges of Ids into which a load is cut that the org finds too slow.

ALTER TABLE headwater.object ADD COLUMN selection text NOT NULL DEFAULT '';

ALTER TABLE headwater.slice
    ADD COLUMN first_id text NOT NULL DEFAULT '',   -- Id >= this; '' is the beginning
    ADD COLUMN last_id  text NOT NULL DEFAULT '';   -- Id < this; '' is the end
