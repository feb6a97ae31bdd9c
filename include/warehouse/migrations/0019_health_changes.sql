-- What changed from one assessment to the next, and what people are told of it: see docs/notifications.md.

ALTER TABLE headwater.issue ADD COLUMN change text NOT NULL DEFAULT ''
    CHECK (change IN ('', 'new', 'worse', 'better', 'mended', 'unchanged', 'not_assessed', 'assessed_again'));

-- How each issue stands since its last change: the level that the next change is measured against.
CREATE TABLE headwater.health_standing (
    org          text NOT NULL,
    subject      text NOT NULL,              -- a check; grade: or grade:<object> for a grade
    layer        text NOT NULL CHECK (layer IN ('shown', 'told')),  -- as pages show it; as people are told of it
    judged       boolean NOT NULL,           -- false: it was never assessed
    assessed     boolean NOT NULL,
    bad          boolean NOT NULL,
    failing      bigint NOT NULL,
    records      bigint NOT NULL,
    bad_since    timestamptz,
    better_since timestamptz,                -- good news that has yet to last
    again_since  timestamptz,                -- assessed again, which has yet to last
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (org, subject, layer)
);

-- What is worth telling, each once: written in the transaction of the assessment that decided it.
CREATE TABLE headwater.health_news (
    org            text NOT NULL,
    assessment_id  bigint NOT NULL REFERENCES headwater.assessment ON DELETE CASCADE,
    subject        text NOT NULL,            -- as above; "" for the first assessment
    change         text NOT NULL
        CHECK (change IN ('first', 'new', 'worse', 'better', 'mended', 'not_assessed', 'assessed_again')),
    object         text NOT NULL DEFAULT '',
    failing        bigint NOT NULL,
    records        bigint NOT NULL,
    before_failing bigint,                   -- at the change before; null: there was none
    before_records bigint,
    PRIMARY KEY (org, assessment_id, subject)
);

-- Up to which assessment the owner of records was told of new findings. An Id of Salesforce, never an address.
CREATE TABLE headwater.owner_told (
    org           text NOT NULL,
    owner_id      text NOT NULL,             -- "" : the assessment at which telling owners began
    assessment_id bigint NOT NULL,
    told_at       timestamptz NOT NULL,
    PRIMARY KEY (org, owner_id)
);
