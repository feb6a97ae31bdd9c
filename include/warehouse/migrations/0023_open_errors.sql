-- A platform that refuses everybody leaves a million open errors: their page reads the newest of them by this order.
CREATE INDEX sync_error_open_newest ON headwater.sync_error (org, last_at DESC, error_id DESC) WHERE settled_at IS NULL;
