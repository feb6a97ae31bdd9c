-- What selects the records of an object besides the window (the SOQL of its filter, or of a query of the definition):
-- when it changes, everything is read again.
ALTER TABLE headwater.object ADD COLUMN selection text NOT NULL DEFAULT '';
