"""Write the audit trail: who changed what is shown of people, who saw it and who took it along. It is only added to."""

from __future__ import annotations

from sqlalchemy import Connection, text

EXPORTED = "exported unmasked"
READ = "read unmasked"
SEEN = "seen unmasked"  # the index audit_seen names it, too
OF_READERS = (READ, SEEN)  # these tell of the people who looked, and only those are shown them who may look as well


def write_audit(
    connection: Connection,
    *,
    who: str,
    what: str,
    org: str,
    object: str = "",
    field: str = "",
    before: str = "",
    after: str = "",
) -> None:
    """Add a line to the trail, in the transaction of what it tells.

    Args:
        connection: an open transaction.
        who: the name by which the person is signed in.
        what: our words for what was done.
        org: whose data.
        object: API name, where it is about one.
        field: API name, where it is about one.
        before: how it was, in our words; never a value of a record.
        after: how it is now.
    """
    connection.execute(
        text(
            "INSERT INTO headwater.audit (who, what, org, object, field, before, after)"
            " VALUES (:who, :what, :org, :object, :field, :before, :after)"
        ),
        {
            "who": who,
            "what": what,
            "org": org,
            "object": object,
            "field": field,
            "before": before,
            "after": after,
        },
    )


def write_seen(connection: Connection, *, who: str, org: str, object: str, after: str) -> None:
    """Add a line that a person saw people's values, unless the same line was added in this hour of UTC.

    Args:
        connection: an open transaction.
        who: the name by which the person is signed in.
        org: whose data.
        object: API name, where it is about one.
        after: what was seen, in our words and by Ids; never a value of a record.
    """
    # Looked for first: a page that is opened again writes nothing at all.
    connection.execute(
        text(
            "INSERT INTO headwater.audit (who, what, org, object, after)"
            f" SELECT :who, '{SEEN}', :org, :object, :after WHERE NOT EXISTS (SELECT FROM headwater.audit"
            f" WHERE what = '{SEEN}' AND org = :org AND who = :who AND object = :object AND after = :after"
            " AND date_trunc('hour', at AT TIME ZONE 'UTC') = date_trunc('hour', now() AT TIME ZONE 'UTC'))"
            " ON CONFLICT DO NOTHING"
        ),
        {"who": who, "org": org, "object": object, "after": after},
    )
