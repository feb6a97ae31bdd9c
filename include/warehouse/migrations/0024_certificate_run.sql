-- The log of runs shows beside each how complete the copy was after it.
CREATE INDEX certificate_run ON headwater.certificate (run_id) WHERE run_id IS NOT NULL;
