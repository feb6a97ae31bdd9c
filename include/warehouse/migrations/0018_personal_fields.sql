-- Which fields hold what belongs to a person, as people decided it; and a trail of such decisions that nobody rewrites.

CREATE TABLE headwater.personal_field (
    org        text NOT NULL,
    object     text NOT NULL,
    field      text NOT NULL,
    personal   boolean NOT NULL,
    type       text NOT NULL,                -- of the field when it was decided: a decision is about what the field was
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, object, field)
);

ALTER TABLE headwater.field ADD COLUMN returned_at timestamptz;  -- the org described it again after it was gone

-- One line per described field. `state`: 'fixed' (an Id or a stamp of the system: nothing to decide), 'undecided',
-- 'lapsed' (decided when the field was another one), 'personal', 'plain'. What nobody decided counts as personal,
-- but for yes and no.
CREATE VIEW headwater.field_register AS
SELECT f.org, f.object, f.name AS field, f.type, f.gone_at, p.decided_by, p.decided_at, judged.state,
       CASE judged.state WHEN 'fixed' THEN false WHEN 'personal' THEN true WHEN 'plain' THEN false
            WHEN 'lapsed' THEN p.personal OR f.type <> 'boolean' ELSE f.type <> 'boolean' END AS personal
  FROM headwater.field AS f
  LEFT JOIN headwater.personal_field AS p ON p.org = f.org AND p.object = f.object AND p.field = f.name
 CROSS JOIN LATERAL (SELECT CASE
       WHEN f.type = 'id' OR f.type = 'datetime' AND f.name IN ('CreatedDate', 'LastModifiedDate', 'SystemModstamp',
            'LastViewedDate', 'LastReferencedDate') THEN 'fixed'
       WHEN p.field IS NULL THEN 'undecided'
       WHEN p.type <> f.type OR f.returned_at > p.decided_at THEN 'lapsed'
       WHEN p.personal THEN 'personal' ELSE 'plain' END AS state) AS judged;

-- What a bounded sample of an object's rows holds, as counts: {"email": 12, …}. No value is kept.
CREATE TABLE headwater.field_content (
    org        text NOT NULL,
    object     text NOT NULL,
    field      text NOT NULL,
    sampled    integer NOT NULL,
    filled     integer NOT NULL,
    looks_like jsonb NOT NULL DEFAULT '{}',
    sampled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, object, field)
);

-- Who changed what is shown of people, and who took it along: names of fields and words of ours, never a value.
CREATE TABLE headwater.audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    who      text NOT NULL,
    what     text NOT NULL,
    org      text NOT NULL,
    object   text NOT NULL DEFAULT '',
    field    text NOT NULL DEFAULT '',
    before   text NOT NULL DEFAULT '',
    after    text NOT NULL DEFAULT ''
);
CREATE INDEX audit_recent ON headwater.audit (org, audit_id DESC);

CREATE FUNCTION headwater.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = 'headwater.' || TG_TABLE_NAME || ' is only added to',
                          ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON headwater.audit
    FOR EACH ROW EXECUTE FUNCTION headwater.refuse_change();
CREATE TRIGGER audit_kept BEFORE TRUNCATE ON headwater.audit
    FOR EACH STATEMENT EXECUTE FUNCTION headwater.refuse_change();
REVOKE ALL ON headwater.audit FROM PUBLIC;
