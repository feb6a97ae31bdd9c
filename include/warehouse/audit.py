"""Write the audit trail: who changed what is shown of people, and who took it along. Nothing in it is ever changed."""

from __future__ import annotations

from sqlalchemy import Connection, text

EXPORTED = "exported unmasked"
READ = "read unmasked"


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
