"""Pin each org at first contact, so that a connection that leads elsewhere later is refused."""

from __future__ import annotations

from sqlalchemy import Connection, text

from include.errors import OrgChanged
from include.records import OrgIdentity


def pin_org(connection: Connection, org: str, identity: OrgIdentity) -> None:
    """Remember which org answers under this name, or check that it still is the same.

    Raises:
        OrgChanged: another org answers; nothing was written.
    """
    values = {
        "org": org,
        "org_id": identity.org_id,
        "instance_url": identity.instance_url,
        "name": identity.name,
        "is_sandbox": identity.is_sandbox,
    }
    pinned = connection.execute(
        text(
            "INSERT INTO headwater.org (org, org_id, instance_url, name, is_sandbox)"
            " VALUES (:org, :org_id, :instance_url, :name, :is_sandbox)"
            " ON CONFLICT (org) DO UPDATE SET seen_at = now(),"
            " instance_url = CASE WHEN org.org_id = excluded.org_id THEN excluded.instance_url"
            " ELSE org.instance_url END"
            " RETURNING org_id, instance_url"
        ),
        values,
    ).one()
    # 15 characters tell orgs apart; the last three are a checksum that some answers leave out.
    if pinned.org_id[:15] != identity.org_id[:15]:
        raise OrgChanged(
            f"the connection of org {org!r} leads to {identity.org_id} at {identity.instance_url}, but the warehouse"
            f" holds {pinned.org_id} at {pinned.instance_url}. Point the connection back, or define the other org under"
            f" a name of its own. If it replaces the old one (a refreshed sandbox), drop the schema salesforce_{org}"
            f" and delete the rows of {org!r} in headwater.org, headwater.object and headwater.field; the next run"
            " starts anew"
        )


def is_sandbox(connection: Connection, org: str) -> bool:
    """Return whether the org said, at first contact, that it is a sandbox."""
    said = connection.execute(text("SELECT is_sandbox FROM headwater.org WHERE org = :org"), {"org": org})
    return bool(said.scalar_one_or_none())


def instance_url(connection: Connection, org: str) -> str:
    """Return where the org lives, "" before first contact."""
    said = connection.execute(text("SELECT instance_url FROM headwater.org WHERE org = :org"), {"org": org})
    return str(said.scalar_one_or_none() or "")
