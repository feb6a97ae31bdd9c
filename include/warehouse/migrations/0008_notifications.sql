-- What people were told: one line per change, and per channel whether it has arrived. No recipient stands here.
CREATE TABLE headwater.notification (
    notification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org         text NOT NULL,
    key         text NOT NULL,               -- what it is about; open at most once
    event       text NOT NULL,
    title       text NOT NULL,
    message     text NOT NULL DEFAULT '',
    path        text NOT NULL DEFAULT '',    -- of the page or run, below Airflow's address
    raised_at   timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz                  -- it is over; what happens once is over when it is raised
);
CREATE UNIQUE INDEX notification_open ON headwater.notification (org, key) WHERE resolved_at IS NULL;
CREATE INDEX notification_key ON headwater.notification (org, key, notification_id DESC);

CREATE TABLE headwater.notification_delivery (
    notification_id bigint NOT NULL REFERENCES headwater.notification ON DELETE CASCADE,
    channel     text NOT NULL,
    all_clear   boolean NOT NULL,            -- false: that it began; true: that it is over
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dropped')),
    tries       integer NOT NULL DEFAULT 0,
    cause       text NOT NULL DEFAULT '',    -- why the last try failed
    written_at  timestamptz NOT NULL DEFAULT now(),
    sent_at     timestamptz,
    PRIMARY KEY (notification_id, channel, all_clear)
);
CREATE INDEX notification_delivery_waiting ON headwater.notification_delivery (channel) WHERE state = 'waiting';

-- What the first load of an object was expected to take, written down before it began.
CREATE TABLE headwater.onboarding (
    org         text NOT NULL,
    object      text NOT NULL,
    rows        bigint,                      -- as the org counted them, about; null: it doesn't count this object
    fields      integer NOT NULL,
    plan        text NOT NULL,               -- rest | bulk
    calls       bigint NOT NULL,
    seconds     double precision NOT NULL,
    measured    boolean NOT NULL,            -- from loads of this warehouse; false: from an assumption
    forecast_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, object)
);
