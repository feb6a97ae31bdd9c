-- What pages show of an assessment and cannot count at sight: an org may have millions of findings.

-- Records with at least one issue of a category, each counted once.
CREATE TABLE headwater.assessed_category (
    assessment_id bigint NOT NULL REFERENCES headwater.assessment ON DELETE CASCADE,
    object        text NOT NULL,
    category      text NOT NULL,
    records       bigint NOT NULL,
    PRIMARY KEY (assessment_id, object, category)
);

-- Records of which a check is the only issue: what the grade gains when they are mended.
CREATE TABLE headwater.assessed_alone (
    assessment_id bigint NOT NULL REFERENCES headwater.assessment ON DELETE CASCADE,
    object        text NOT NULL,
    check_id      text NOT NULL,
    records       bigint NOT NULL,
    PRIMARY KEY (assessment_id, object, check_id)
);
