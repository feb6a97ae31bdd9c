-- A run that waits for API calls is neither idle nor failed: it goes on by itself.
ALTER TABLE headwater.run DROP CONSTRAINT run_state_check,
    ADD CONSTRAINT run_state_check CHECK (state IN ('running', 'success', 'skipped', 'paused', 'degraded', 'failed'));
