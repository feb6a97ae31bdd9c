-- A field whose change of type waits for a person: its column still holds the values of the old type. So it counts as
-- personal until the change is followed, also where it has become yes or no, and whatever is decided meanwhile.
CREATE OR REPLACE VIEW headwater.field_register AS
SELECT f.org, f.object, f.name AS field, f.type, f.gone_at, p.decided_by, p.decided_at, judged.state,
       CASE WHEN judged.state = 'fixed' THEN false WHEN f.held_at IS NOT NULL THEN true
            WHEN judged.state = 'personal' THEN true WHEN judged.state = 'plain' THEN false
            WHEN judged.state = 'lapsed' THEN p.personal OR f.type <> 'boolean' ELSE f.type <> 'boolean' END AS personal
  FROM headwater.field AS f
  LEFT JOIN headwater.personal_field AS p ON p.org = f.org AND p.object = f.object AND p.field = f.name
 CROSS JOIN LATERAL (SELECT CASE
       WHEN f.type = 'id' OR f.type = 'datetime' AND f.name IN ('CreatedDate', 'LastModifiedDate', 'SystemModstamp',
            'LastViewedDate', 'LastReferencedDate') THEN 'fixed'
       WHEN p.field IS NULL THEN 'undecided'
       WHEN p.type <> f.type OR f.returned_at > p.decided_at THEN 'lapsed'
       WHEN p.personal THEN 'personal' ELSE 'plain' END AS state) AS judged;
