-- Issues that nobody is told of, as a person said on the page; what stands in the definition of a check holds besides.
CREATE TABLE headwater.health_mute (
    org      text NOT NULL,
    check_id text NOT NULL,
    until    date,                           -- from this day on people are told again; null: for good
    muted_by text NOT NULL,
    muted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, check_id)
);
