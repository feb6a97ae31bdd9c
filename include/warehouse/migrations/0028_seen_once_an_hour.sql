-- Who looks at a person's page again leaves no second line in the same hour: the trail of what people saw stays as long
-- as it is worth reading, and a page that is reloaded writes nothing. The index holds such lines alone; there are none
-- yet, so that it is made by one look through the trail.
CREATE UNIQUE INDEX audit_seen
    ON headwater.audit (org, who, object, after, date_trunc('hour', at AT TIME ZONE 'UTC'))
 WHERE what = 'seen unmasked';
