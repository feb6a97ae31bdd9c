-- API calls against an org's limit. Several definitions may lead to one org: what counts is its 18-character Id.

CREATE TABLE headwater.api_budget (
    org_id      text PRIMARY KEY,
    used        bigint,                      -- the org's own count of its rolling 24 hours; null: not told yet
    allowed     bigint,
    observed_at timestamptz,
    kept        bigint,                      -- the watermark in calls, as the definition said at the last loan
    quota       bigint,                      -- our calls in a day; null: no quota
    began_at    timestamptz,                 -- when that day began
    paused_at   timestamptz,                 -- the last time that a call was not allowed
    cause       text NOT NULL DEFAULT ''     -- why
);

-- Blocks of calls lent to processes: counted as made until their process says more, or is silent for too long.
CREATE TABLE headwater.api_lease (
    lease_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id     text NOT NULL,
    calls      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX api_lease_live ON headwater.api_lease (org_id, expires_at);

CREATE INDEX api_call_hour ON headwater.api_call (org, hour);
