-- What was learnt of an object's duplicates: probabilities of agreement, nothing of any record.
CREATE TABLE headwater.probable_model (
    org         text NOT NULL,
    object      text NOT NULL,
    version     text NOT NULL,                 -- hash of the settings that it was learnt from
    learnt_at   timestamptz NOT NULL,
    pairs       bigint NOT NULL,               -- candidates that it was learnt from
    model       jsonb NOT NULL,
    PRIMARY KEY (org, object)
);
