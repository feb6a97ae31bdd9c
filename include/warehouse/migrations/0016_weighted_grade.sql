-- The grade in which a record counts by its worst issue: see docs/checks.md.

ALTER TABLE headwater.assessment ADD COLUMN weighted double precision;
ALTER TABLE headwater.assessed_object ADD COLUMN weighted double precision;
