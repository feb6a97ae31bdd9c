-- What the check asked when it was judged: a gate must know whether today's definition is the one that was. "" in rows
-- from before this; a constant default is kept in the catalogue, so that no row is written.
ALTER TABLE headwater.issue ADD COLUMN asked text NOT NULL DEFAULT '';
