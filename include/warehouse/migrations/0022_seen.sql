-- What a check was judged on, so that next time only the rows that changed since are judged again (docs/checks.md).

ALTER TABLE headwater.issue ADD COLUMN seen text NOT NULL DEFAULT '';
